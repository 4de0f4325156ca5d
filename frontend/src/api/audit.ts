/** The audit trail of a project, the newest first. */

import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import { download } from "./download";
import type { AuditFact } from "./model";

/** Which facts are wanted; an absent field lets all pass. */
export interface AuditFilter {
  /** A kind, or the noun that kinds begin with. */
  readonly kind?: string;
  readonly user_id?: string;
  readonly subject_id?: string;
  /** RFC 3339, of from ≤ at < to. */
  readonly from?: string;
  readonly to?: string;
  readonly q?: string;
}

interface FactPage {
  readonly items: readonly AuditFact[];
  readonly next_cursor?: string | null;
}

const PAGE = 100;

/** `key` names the filter where its times move with the clock. */
export function useAudit(projectId: string, key: string, filter: () => AuditFilter): UseInfiniteQueryResult<InfiniteData<FactPage>> {
  return useInfiniteQuery({
    queryKey: ["audit", projectId, key],
    queryFn: ({ pageParam }): Promise<FactPage> =>
      body(
        api.GET("/api/v1/projects/{project_id}/audit", {
          params: { path: { project_id: projectId }, query: { ...filter(), limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Hand the person the facts as a CSV file. */
export function downloadAudit(projectId: string, filter: AuditFilter): Promise<void> {
  const query = new URLSearchParams(Object.entries(filter) as [string, string][]).toString();
  return download(`/api/v1/projects/${projectId}/audit/export${query === "" ? "" : `?${query}`}`, "audit.csv");
}
