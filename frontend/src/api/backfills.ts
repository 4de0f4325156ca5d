/** Backfills: versions applied to what captures hold. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { Capture } from "./model";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Backfill = Schemas["Backfill"];
export type DryRun = Schemas["DryRun"];

const PROGRESS_MS = 1_000;
const REST_MS = 15_000;

export const unfinished = (backfill: Backfill): boolean => backfill.status === "waiting" || backfill.status === "running";

/** A sensor's backfills, the newest first; progress is looked at each second while there is any. */
export function useBackfills(projectId: string, sensorId: string): UseQueryResult<Backfill[]> {
  return useQuery({
    queryKey: ["backfills", projectId, sensorId],
    queryFn: async () => {
      const params = { path: { project_id: projectId }, query: { sensor_id: sensorId, limit: 20 } };
      return [...(await body(api.GET("/api/v1/projects/{project_id}/backfills", { params }))).items];
    },
    refetchInterval: ({ state }) => (state.data?.some(unfinished) === true ? PROGRESS_MS : REST_MS),
  });
}

/** The captures of a project that are over and hold a sensor, the newest first. */
export function useCapturesOf(projectId: string, sensorId: string, enabled: boolean): UseQueryResult<Capture[]> {
  return useQuery({
    queryKey: ["captures", "of", projectId, sensorId],
    queryFn: async () => {
      const params = { path: { project_id: projectId }, query: { limit: 200 } };
      const { items } = await body(api.GET("/api/v1/projects/{project_id}/captures", { params }));
      return items.filter((each) => each.sensor_ids.includes(sensorId) && (each.status === "finished" || each.status === "sealed"));
    },
    enabled,
  });
}

export interface Asked {
  readonly captureId: string;
  readonly profileId: string;
}

/** What a backfill would change. */
export function useDryRun(): UseMutationResult<DryRun, Error, Asked> {
  return useMutation({
    mutationFn: async ({ captureId, profileId }: Asked) => {
      const params = { path: { capture_id: captureId }, query: { dry_run: true } };
      return (await body(api.POST("/api/v1/captures/{capture_id}/backfills", { params, body: { profile_id: profileId } }))) as DryRun;
    },
  });
}

export function useStartBackfill(): UseMutationResult<unknown, Error, Asked> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ captureId, profileId }: Asked) =>
      body(api.POST("/api/v1/captures/{capture_id}/backfills", { params: { path: { capture_id: captureId } }, body: { profile_id: profileId } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["backfills"] }),
  });
}

export function useCancelBackfill(): UseMutationResult<unknown, Error, Backfill> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: Backfill) => body(api.POST("/api/v1/backfills/{backfill_id}/cancel", { params: { path: { backfill_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["backfills"] }),
  });
}
