/** Seconds until another try is worth making, counted down while a form shows them. */

import { ApiProblem } from "@/api/problem";

import { useNow } from "./use-now";

const nowS = (): number => Date.now() / 1000;

/** 0 where the hub named no time, or it has passed. */
export function useWait(error: unknown): number {
  const now = useNow(nowS);
  const until = error instanceof ApiProblem ? error.retryAt : null;
  return until === null ? 0 : Math.max(0, Math.ceil(until / 1000 - now));
}
