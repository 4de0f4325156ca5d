/** The newest vector of a sensor in a range, for what the live channel has not brought. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";

export interface StoredVector {
  /** Seconds since 1970. */
  readonly t: number;
  readonly physical: readonly (number | null)[];
}

export interface Asked {
  readonly sensorId: string;
  /** Within a capture, by one of its revisions (null: the newest), or of all that is stored. */
  readonly captureId: string | null;
  readonly revision: number | null;
  /** Before this time, seconds since 1970; null: the newest of all. */
  readonly to: number | null;
}

/** Null where there is none. */
export function useNewestVector({ sensorId, captureId, revision, to }: Asked): UseQueryResult<StoredVector | null> {
  return useQuery({
    queryKey: ["vector", sensorId, captureId, revision, to],
    staleTime: to === null ? 0 : Infinity,
    queryFn: async () => {
      const query = { values: ["physical" as const], ...(to === null ? {} : { to: new Date(to * 1000).toISOString() }) };
      const found = await (captureId === null
        ? body(api.GET("/api/v1/sensors/{sensor_id}/vectors", { params: { path: { sensor_id: sensorId }, query } }))
        : body(api.GET("/api/v1/captures/{capture_id}/vectors", { params: { path: { capture_id: captureId }, query: { ...query, sensor_id: sensorId, ...(revision === null ? {} : { revision }) } } })));
      const [t, physical] = [found.t[0], found.physical?.[0]];
      return t === undefined || physical === undefined ? null : { t, physical };
    },
  });
}
