/** Follows the project's events: states and captures change on the page at once, trouble becomes a toast. */

import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { Sensor } from "@/api/model";
import type { TelemetryClient } from "@/telemetry/client";
import type { Heard, HubEvent } from "@/telemetry/protocol";
import { toast } from "@/ui/toasts";

import { noteOf } from "./event-notes";

export function useEventWatch(client: TelemetryClient, projectId: string | null): void {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const navigate = useNavigate();
  useEffect(() => {
    client.project(projectId);
    return () => client.project(null);
  }, [client, projectId]);
  useEffect(
    () => (projectId === null ? undefined : client.onStates((states) => setStates(cache, projectId, states))),
    [client, cache, projectId],
  );
  useEffect(
    () =>
      client.onEvent((event) => {
        follow(cache, event);
        const note = noteOf(event, nameOf(cache, event), t);
        if (note === null) return;
        const { actionText, address, ...said } = note;
        toast({ ...said, action: { text: actionText, run: () => void navigate(`/p/${event.projectId}/${address}`) } });
      }),
    [client, cache, navigate, t],
  );
}

/** Bring what the page shows in step with an event. */
function follow(cache: QueryClient, event: HubEvent): void {
  if (event.kind === "sensor_state" && event.subjectId !== null) {
    setStates(cache, event.projectId, { [event.subjectId]: event.details.state as Heard });
  } else if (event.kind === "capture") {
    void cache.invalidateQueries({ queryKey: ["captures"] });
  } else if (event.kind === "backfill_progress" || event.kind === "backfill_finished") {
    void cache.invalidateQueries({ queryKey: ["backfills"] });
    if (event.kind === "backfill_finished") void cache.invalidateQueries({ queryKey: ["captures"] });
  } else if (typeof event.details.journal === "string") {
    void cache.invalidateQueries({ queryKey: ["journal", event.subjectId] });
  }
}

function setStates(cache: QueryClient, projectId: string, states: Readonly<Record<string, Heard>>): void {
  const key = ["sensors", projectId];
  const known = cache.getQueryData<Sensor[]>(key);
  if (known === undefined) return;
  const ids = new Set(known.map((sensor) => sensor.id));
  if (Object.keys(states).some((id) => !ids.has(id))) void cache.invalidateQueries({ queryKey: key });
  cache.setQueryData<Sensor[]>(
    key,
    known.map((sensor) => {
      const state = states[sensor.id];
      return state === undefined || state === sensor.state ? sensor : { ...sensor, state };
    }),
  );
}

function nameOf(cache: QueryClient, event: HubEvent): string | null {
  const sensors = cache.getQueryData<Sensor[]>(["sensors", event.projectId]);
  const about = event.details.sensor_id ?? event.subjectId;
  return sensors?.find((sensor) => sensor.id === about)?.name ?? null;
}
