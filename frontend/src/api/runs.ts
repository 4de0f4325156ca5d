/** Queries and changes of runs. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { all, api, body } from "./client";
import type { BoundSensor, Run, RunCreate } from "./model";

const REFRESH_MS = 5_000;

export function useRuns(experimentId: string): UseQueryResult<Run[]> {
  return useQuery({
    queryKey: ["runs", experimentId],
    queryFn: () =>
      all<Run>((cursor) =>
        body(
          api.GET("/api/v1/experiments/{experiment_id}/runs", {
            params: { path: { experiment_id: experimentId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
          }),
        ),
      ),
    refetchInterval: REFRESH_MS,
  });
}

export function useRun(id: string): UseQueryResult<Run> {
  return useQuery({
    queryKey: ["run", id],
    queryFn: () => body(api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: id } } })),
    refetchInterval: REFRESH_MS,
  });
}

export function useCreateRun(experimentId: string): UseMutationResult<Run, Error, RunCreate> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (run: RunCreate) =>
      body(api.POST("/api/v1/experiments/{experiment_id}/runs", { params: { path: { experiment_id: experimentId } }, body: run })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["runs", experimentId] }),
  });
}

export type RunChange =
  | { readonly kind: "start" }
  | { readonly kind: "finish"; readonly status: "succeeded" | "failed" }
  | { readonly kind: "sensors"; readonly sensors: readonly BoundSensor[] };

export function useChangeRun(id: string): UseMutationResult<Run, Error, RunChange> {
  const client = useQueryClient();
  const params = { path: { run_id: id } };
  return useMutation({
    mutationFn: (change: RunChange) => {
      switch (change.kind) {
        case "start":
          return body(api.POST("/api/v1/runs/{run_id}/start", { params }));
        case "finish":
          return body(api.POST("/api/v1/runs/{run_id}/finish", { params, body: { status: change.status } }));
        case "sensors":
          return body(api.PUT("/api/v1/runs/{run_id}/sensors", { params, body: { sensors: [...change.sensors] } }));
      }
    },
    onSuccess: async (run) => {
      client.setQueryData(["run", id], run);
      await Promise.all([
        client.invalidateQueries({ queryKey: ["runs"] }),
        client.invalidateQueries({ queryKey: ["captures"] }),
        client.invalidateQueries({ queryKey: ["experiment"] }),
      ]);
    },
  });
}
