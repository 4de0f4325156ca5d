/** A sensor's profile versions: drafted, tried, fitted, published, withdrawn. */

import { keepPreviousData, skipToken, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Profile = Schemas["Profile"];
export type Payload = NonNullable<Schemas["SensorCreate"]["profile"]>;
export type Previewed = Schemas["Previewed"];
export type PreviewedRange = Schemas["PreviewedRange"];
export type Difference = Schemas["Difference"];
export type Fitted = Schemas["Fitted"];
export type Publication = Schemas["Publication"];

// The client's types take pairs of numbers for lists of any length; what it reads is what the schema says.
const REFRESH_MS = 5_000;

/** The versions, the newest first; the clock moves their states. */
export function useProfiles(sensorId: string): UseQueryResult<Profile[]> {
  return useQuery({
    queryKey: ["profiles", sensorId],
    queryFn: async () => (await body(api.GET("/api/v1/sensors/{sensor_id}/profiles", { params: { path: { sensor_id: sensorId } } }))).items as Profile[],
    refetchInterval: REFRESH_MS,
  });
}

export interface SavedDraft {
  /** The draft to replace; null makes a new one. */
  readonly id: string | null;
  readonly payload: Payload;
}

export function useSaveDraft(sensorId: string): UseMutationResult<Profile, Error, SavedDraft> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, payload }: SavedDraft) =>
      (id === null
        ? await body(api.POST("/api/v1/sensors/{sensor_id}/profiles", { params: { path: { sensor_id: sensorId } }, body: { payload } }))
        : await body(api.PATCH("/api/v1/profiles/{profile_id}", { params: { path: { profile_id: id } }, body: { payload } }))) as Profile,
    onSuccess: () => client.invalidateQueries({ queryKey: ["profiles", sensorId] }),
  });
}

export function useDeleteDraft(sensorId: string): UseMutationResult<unknown, Error, Profile> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: Profile) => body(api.DELETE("/api/v1/profiles/{profile_id}", { params: { path: { profile_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["profiles", sensorId] }),
  });
}

export interface Publishing {
  readonly profile: Profile;
  readonly how: Publication;
}

export function usePublish(sensorId: string): UseMutationResult<Profile, Error, Publishing> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ profile, how }: Publishing) =>
      (await body(api.POST("/api/v1/profiles/{profile_id}/publish", { params: { path: { profile_id: profile.id } }, body: how }))) as Profile,
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: ["profiles", sensorId] }), client.invalidateQueries({ queryKey: ["backfills"] })]),
  });
}

export function useWithdraw(sensorId: string): UseMutationResult<unknown, Error, Profile> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: Profile) => body(api.POST("/api/v1/profiles/{profile_id}/withdraw", { params: { path: { profile_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["profiles", sensorId] }),
  });
}

/** What a formula makes of raw values; only the hub can tell. */
export function useCurve(sensorId: string, payload: Payload | null, raw: readonly number[]): UseQueryResult<Previewed> {
  return useQuery({
    queryKey: ["curve", sensorId, payload, raw],
    queryFn:
      payload === null
        ? skipToken
        : async () => {
            const params = { path: { sensor_id: sensorId } };
            return (await body(api.POST("/api/v1/sensors/{sensor_id}/profiles/preview", { params, body: { payload, raw: [...raw], max_points: 1000 } }))) as Previewed;
          },
    staleTime: Infinity,
    retry: false,
    placeholderData: keepPreviousData,
  });
}

export interface Trial {
  readonly payload: Payload;
  /** RFC 3339. */
  readonly from: string;
  readonly to: string;
}

/** Stored samples as they stand and as a payload would have them. */
export function useTrial(sensorId: string): UseMutationResult<PreviewedRange, Error, Trial> {
  return useMutation({
    mutationFn: async ({ payload, from, to }: Trial) => {
      const answer = await body(
        api.POST("/api/v1/sensors/{sensor_id}/profiles/preview", {
          params: { path: { sensor_id: sensorId } },
          body: { payload, from, to, max_points: 1000 },
        }),
      );
      return answer as PreviewedRange;
    },
  });
}

export function useFit(sensorId: string): UseMutationResult<Fitted, Error, Schemas["FitRequest"]> {
  return useMutation({
    mutationFn: async (request: Schemas["FitRequest"]) =>
      (await body(api.POST("/api/v1/sensors/{sensor_id}/profiles/fit", { params: { path: { sensor_id: sensorId } }, body: request }))) as Fitted,
  });
}
