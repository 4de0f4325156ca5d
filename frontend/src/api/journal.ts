/** The journal of a sensor, the newest first. */

import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { JournalEntry, JournalKind } from "./model";

interface JournalPage {
  readonly items: readonly JournalEntry[];
  readonly next_cursor?: string | null;
}

const PAGE = 50;

export function useJournal(sensorId: string, kind: JournalKind | null): UseInfiniteQueryResult<InfiniteData<JournalPage>> {
  return useInfiniteQuery({
    queryKey: ["journal", sensorId, kind],
    queryFn: ({ pageParam }): Promise<JournalPage> =>
      body(
        api.GET("/api/v1/sensors/{sensor_id}/journal", {
          params: {
            path: { sensor_id: sensorId },
            query: { limit: PAGE, ...(kind === null ? {} : { kind }), ...(pageParam === null ? {} : { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}
