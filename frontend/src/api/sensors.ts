/** Queries and changes of sensors. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { all, api, body } from "./client";
import type { Sensor, SensorCreate, SensorUpdate } from "./model";

/** States are pushed; what a push may have missed is read again now and then. */
const REFRESH_MS = 15_000;

/** In the order of their registration: a wall is read by position, and a new one comes last. */
const inPlace = (a: Sensor, b: Sensor): number => a.created_at.localeCompare(b.created_at) || a.name.localeCompare(b.name);

/** A project's sensors with their states, renewed every two seconds unless told otherwise. */
export function useSensors(projectId: string, refetchInterval: number | false = REFRESH_MS): UseQueryResult<Sensor[]> {
  return useQuery({
    queryKey: ["sensors", projectId],
    queryFn: async () => {
      const sensors = await all<Sensor>((cursor) =>
        body(
          api.GET("/api/v1/projects/{project_id}/sensors", {
            params: { path: { project_id: projectId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
          }),
        ),
      );
      return sensors.sort(inPlace);
    },
    refetchInterval,
  });
}

export function useCreateSensor(projectId: string): UseMutationResult<Sensor, Error, SensorCreate> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sensor: SensorCreate) =>
      body(api.POST("/api/v1/projects/{project_id}/sensors", { params: { path: { project_id: projectId } }, body: sensor })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["sensors", projectId] }),
  });
}

/** Change a sensor of the project; limits only owners. */
export function useUpdateSensor(sensor: Sensor): UseMutationResult<Sensor, Error, SensorUpdate> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (changes: SensorUpdate) => body(api.PATCH("/api/v1/sensors/{sensor_id}", { params: { path: { sensor_id: sensor.id } }, body: changes })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["sensors", sensor.project_id] }),
  });
}
