/** Keeps the ledgers of a run's captures in step with what the hub pushes; whoever reads them asks once and polls nothing. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { useTelemetry } from "./use-telemetry";

/** Follow a run, if there is one, while the component is shown. */
export function useLiveLedgers(runId: string | undefined): void {
  const client = useTelemetry();
  const cache = useQueryClient();
  useEffect(() => (runId === undefined ? undefined : client.follow(runId)), [client, runId]);
  useEffect(() => client.onLedger(({ captureId, ledger }) => cache.setQueryData(["ledger", captureId], ledger)), [client, cache]);
}
