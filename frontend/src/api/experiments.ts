/** Queries and changes of experiments. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { all, api, body } from "./client";
import type { Experiment } from "./model";

export function useExperiments(projectId: string): UseQueryResult<Experiment[]> {
  return useQuery({
    queryKey: ["experiments", projectId],
    queryFn: () =>
      all<Experiment>((cursor) =>
        body(
          api.GET("/api/v1/projects/{project_id}/experiments", {
            params: { path: { project_id: projectId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
          }),
        ),
      ),
  });
}

export function useExperiment(id: string): UseQueryResult<Experiment> {
  return useQuery({
    queryKey: ["experiment", id],
    queryFn: () => body(api.GET("/api/v1/experiments/{experiment_id}", { params: { path: { experiment_id: id } } })),
  });
}

export interface NewExperiment {
  readonly name: string;
  readonly description: string;
  readonly tags: string[];
}

export function useCreateExperiment(projectId: string): UseMutationResult<Experiment, Error, NewExperiment> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (experiment: NewExperiment) =>
      body(api.POST("/api/v1/projects/{project_id}/experiments", { params: { path: { project_id: projectId } }, body: experiment })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["experiments", projectId] }),
  });
}
