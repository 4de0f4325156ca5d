// @vitest-environment jsdom

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { useLedger } from "@/api/captures";
import type { Capture } from "@/api/model";
import type { TelemetryClient } from "@/telemetry/client";
import type { LedgerChange } from "@/telemetry/protocol";
import { useLiveLedgers } from "@/telemetry/use-ledgers";
import { TelemetryContext } from "@/telemetry/use-telemetry";

const CAPTURE = { id: "c", run_id: "r", status: "running" } as Capture;

afterEach(() => vi.unstubAllGlobals());

/** Shows a capture's ledger; `answer` ends the request for it, `push` is the hub's. */
function show(): { followed: string[]; stored: () => number | undefined; push: (stored: number) => void; answer: (stored: number) => void; asked: () => number; waiting: () => boolean; stop: () => void } {
  const followed: string[] = [];
  const listeners = new Set<(change: LedgerChange) => void>();
  const client = {
    follow: (id: string) => {
      followed.push(id);
      return () => followed.splice(followed.indexOf(id), 1);
    },
    onLedger: (listener: (change: LedgerChange) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as TelemetryClient;
  const answers: ((answer: Response) => void)[] = [];
  vi.stubGlobal("fetch", vi.fn(() => new Promise<Response>((resolve) => answers.push(resolve))));
  const queries = new QueryClient();
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <QueryClientProvider client={queries}>
      <TelemetryContext value={client}>{children}</TelemetryContext>
    </QueryClientProvider>
  );
  const { result, unmount } = renderHook(
    () => {
      useLiveLedgers(CAPTURE.run_id);
      return useLedger(CAPTURE);
    },
    { wrapper },
  );
  return {
    followed,
    stored: () => result.current.data?.stored,
    push: (stored) => listeners.forEach((tell) => tell({ captureId: "c", ledger: { stored } })),
    answer: (stored) => answers.shift()?.(new Response(JSON.stringify({ stored }), { headers: { "Content-Type": "application/json" } })),
    asked: () => vi.mocked(fetch).mock.calls.length,
    waiting: () => result.current.isFetching,
    stop: unmount,
  };
}

it("asks once, then shows what is pushed, and follows the run only while it is shown", async () => {
  const page = show();
  expect(page.followed).toEqual(["r"]);
  await waitFor(() => expect(page.asked()).toBe(1));
  page.answer(5);
  await waitFor(() => expect(page.stored()).toBe(5));
  page.push(6);
  await waitFor(() => expect(page.stored()).toBe(6));
  expect(page.asked()).toBe(1);
  page.stop();
  expect(page.followed).toEqual([]);
});

it("keeps what was pushed while the answer was on its way", async () => {
  const page = show();
  await waitFor(() => expect(page.asked()).toBe(1));
  page.push(9);
  await waitFor(() => expect(page.stored()).toBe(9));
  page.answer(8);
  await waitFor(() => expect(page.waiting()).toBe(false));
  expect(page.stored()).toBe(9);
});
