/** Edge agents: how they are doing, and what owners decide about them. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { EdgeAgent, EdgeAgentCreate, EdgeAgentUpdate } from "./model";

const REFRESH_MS = 5_000;
const key = (projectId: string): readonly string[] => ["edge agents", projectId];

/** A project's agents by name; renewed every five seconds where their state is shown. */
export function useAgents(projectId: string, watched = false): UseQueryResult<EdgeAgent[]> {
  return useQuery({
    queryKey: key(projectId),
    queryFn: async () => [...(await body(api.GET("/api/v1/projects/{project_id}/edge-agents", { params: { path: { project_id: projectId } } }))).items],
    refetchInterval: watched && REFRESH_MS,
  });
}

export function useCreateAgent(projectId: string): UseMutationResult<EdgeAgent, Error, EdgeAgentCreate> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (agent: EdgeAgentCreate) => body(api.POST("/api/v1/projects/{project_id}/edge-agents", { params: { path: { project_id: projectId } }, body: agent })),
    onSuccess: () => client.invalidateQueries({ queryKey: key(projectId) }),
    // The token goes with the dialog that showed it.
    gcTime: 0,
  });
}

export interface AgentChange {
  readonly agent: EdgeAgent;
  readonly changes: EdgeAgentUpdate;
}

export function useUpdateAgent(projectId: string): UseMutationResult<EdgeAgent, Error, AgentChange> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ agent, changes }: AgentChange) => body(api.PATCH("/api/v1/edge-agents/{agent_id}", { params: { path: { agent_id: agent.id } }, body: changes })),
    onSuccess: () => client.invalidateQueries({ queryKey: key(projectId) }),
  });
}

export function useDeleteAgent(projectId: string): UseMutationResult<unknown, Error, EdgeAgent> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: EdgeAgent) => body(api.DELETE("/api/v1/edge-agents/{agent_id}", { params: { path: { agent_id: id } } })),
    // Its sensors are given to nobody then.
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: key(projectId) }), client.invalidateQueries({ queryKey: ["sensors", projectId] })]),
  });
}
