/** The newest vector of a sensor in a range, for what the live channel has not brought. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";

export interface StoredVector {
  /** Seconds since 1970. */
  readonly t: number;
  readonly physical: readonly (number | null)[];
}

/** Before `to` (seconds since 1970; null: the newest of all), within a capture when one is named; null where there is none. */
export function useNewestVector(sensorId: string, captureId: string | null, to: number | null): UseQueryResult<StoredVector | null> {
  return useQuery({
    queryKey: ["vector", sensorId, captureId, to],
    staleTime: to === null ? 0 : Infinity,
    queryFn: async () => {
      const query = { values: ["physical" as const], ...(to === null ? {} : { to: new Date(to * 1000).toISOString() }) };
      const found = await (captureId === null
        ? body(api.GET("/api/v1/sensors/{sensor_id}/vectors", { params: { path: { sensor_id: sensorId }, query } }))
        : body(api.GET("/api/v1/captures/{capture_id}/vectors", { params: { path: { capture_id: captureId }, query: { ...query, sensor_id: sensorId } } })));
      const [t, physical] = [found.t[0], found.physical?.[0]];
      return t === undefined || physical === undefined ? null : { t, physical };
    },
  });
}
