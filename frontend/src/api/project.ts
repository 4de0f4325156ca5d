/** A project itself: what it is called, what its owners decided, its end. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { Project } from "./model";

export function useProjectItself(id: string): UseQueryResult<Project> {
  return useQuery({
    queryKey: ["project", id],
    queryFn: () => body(api.GET("/api/v1/projects/{project_id}", { params: { path: { project_id: id } } })),
  });
}

export interface ProjectWords {
  readonly name: string;
  readonly description: string;
}

export function useRenameProject(id: string): UseMutationResult<Project, Error, ProjectWords> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (words: ProjectWords) =>
      body(api.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: id } }, body: words })),
    onSuccess: async (project) => {
      client.setQueryData(["project", id], project);
      await client.invalidateQueries({ queryKey: ["me"] });
    },
  });
}

export function useSetRawPolicy(id: string): UseMutationResult<unknown, Error, Project["raw_policy"]> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (raw_policy: Project["raw_policy"]) =>
      body(api.PATCH("/api/v1/projects/{project_id}/settings", { params: { path: { project_id: id } }, body: { raw_policy } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["project", id] }),
  });
}

export function useDeleteProject(id: string): UseMutationResult<unknown, Error, void> {
  return useMutation({
    mutationFn: () => body(api.DELETE("/api/v1/projects/{project_id}", { params: { path: { project_id: id } } })),
  });
}
