/** Channels of devices that speak foreign formats, and what editors decide about them. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { all, api, body } from "./client";
import type { ChannelState, Proposal, ProposalAccept } from "./model";

const REFRESH_MS = 5_000;

/** A project's channels in one state, the newest first. */
export function useProposals(projectId: string, state: ChannelState): UseQueryResult<Proposal[]> {
  return useQuery({
    queryKey: ["proposals", projectId, state],
    queryFn: () =>
      all<Proposal>((cursor) =>
        body(
          api.GET("/api/v1/projects/{project_id}/proposals", {
            params: { path: { project_id: projectId }, query: { state, limit: 500, ...(cursor === undefined ? {} : { cursor }) } },
          }),
        ),
      ),
    refetchInterval: REFRESH_MS,
  });
}

export interface Acceptance {
  readonly proposal: Proposal;
  readonly what: ProposalAccept;
}

/** Let a channel be a sensor. */
export function useAcceptProposal(projectId: string): UseMutationResult<unknown, Error, Acceptance> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ proposal, what }: Acceptance) =>
      body(api.POST("/api/v1/proposals/{proposal_id}/accept", { params: { path: { proposal_id: proposal.id } }, body: what })),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["proposals", projectId] }),
        client.invalidateQueries({ queryKey: ["sensors", projectId] }),
      ]),
    // The answer may hold the new sensor's token: it is not kept.
    gcTime: 0,
  });
}

/** Leave a channel out, or take it from its sensor. */
export function useIgnoreProposal(projectId: string): UseMutationResult<unknown, Error, Proposal> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (proposal: Proposal) =>
      body(api.POST("/api/v1/proposals/{proposal_id}/ignore", { params: { path: { proposal_id: proposal.id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["proposals", projectId] }),
  });
}
