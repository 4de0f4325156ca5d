/** Queries and changes of captures, and their export. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { all, api, body } from "./client";
import type { Capture, CaptureLedger } from "./model";

const REFRESH_MS = 2_000;

/** A run's captures, the newest first. */
export function useCaptures(runId: string): UseQueryResult<Capture[]> {
  return useQuery({
    queryKey: ["captures", "run", runId],
    queryFn: () =>
      all<Capture>((cursor) =>
        body(
          api.GET("/api/v1/runs/{run_id}/captures", {
            params: { path: { run_id: runId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
          }),
        ),
      ),
    refetchInterval: REFRESH_MS,
  });
}

/** What records in a project now. */
export function useRecordings(projectId: string): UseQueryResult<Capture[]> {
  return useQuery({
    queryKey: ["captures", "running", projectId],
    queryFn: async () => {
      const params = { path: { project_id: projectId }, query: { status: "running" as const, limit: 200 } };
      return [...(await body(api.GET("/api/v1/projects/{project_id}/captures", { params }))).items];
    },
    refetchInterval: REFRESH_MS,
  });
}

/** A capture's counts: asked for once, then as they are pushed to whoever follows its run (`useLiveLedgers`). */
export function useLedger(capture: Capture | undefined): UseQueryResult<CaptureLedger> {
  return useQuery({
    queryKey: ["ledger", capture?.id],
    queryFn: async ({ client, queryKey }) => {
      const pushedBefore = client.getQueryState(queryKey)?.dataUpdatedAt;
      const answer = await body(api.GET("/api/v1/captures/{capture_id}/ledger", { params: { path: { capture_id: capture?.id ?? "" } } }));
      const pushed = client.getQueryState<CaptureLedger>(queryKey);
      // What was pushed while the answer was on its way is newer.
      return pushed?.data !== undefined && pushed.dataUpdatedAt !== pushedBefore ? pushed.data : answer;
    },
    enabled: capture !== undefined && capture.status !== "draft",
  });
}

export interface StartCapture {
  readonly durationS: number | null;
  readonly preRollS: number;
}

export function useStartCapture(runId: string): UseMutationResult<Capture, Error, StartCapture> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ durationS, preRollS }: StartCapture) =>
      body(
        api.POST("/api/v1/runs/{run_id}/captures", {
          params: { path: { run_id: runId } },
          body: { duration_s: durationS, pre_roll_s: preRollS },
        }),
      ),
    onSuccess: async (capture) => {
      client.setQueryData<Capture[]>(["captures", "run", runId], (old = []) => [capture, ...old.filter((c) => c.id !== capture.id)]);
      await client.invalidateQueries({ queryKey: ["captures"] });
    },
  });
}

export function useStopCapture(): UseMutationResult<Capture, Error, Capture> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (capture: Capture) =>
      body(api.POST("/api/v1/captures/{capture_id}/stop", { params: { path: { capture_id: capture.id } } })),
    onSuccess: async (capture) => {
      client.setQueryData<Capture[]>(["captures", "run", capture.run_id], (old = []) =>
        old.map((each) => (each.id === capture.id ? capture : each)),
      );
      await Promise.all([
        client.invalidateQueries({ queryKey: ["captures"] }),
        client.invalidateQueries({ queryKey: ["ledger", capture.id] }),
      ]);
    },
  });
}
