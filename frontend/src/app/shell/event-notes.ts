/** What people are told of an event: how grave it is, its words, and where its details are. */

import type { TFunction } from "i18next";

import type { HubEvent } from "@/telemetry/protocol";
import { delay } from "@/ui/format";

export interface Note {
  readonly tone: "ok" | "warn" | "bad" | "info";
  readonly title: string;
  readonly detail?: string;
  readonly actionText: string;
  /** Within the project. */
  readonly address: string;
}

/** Null for what other parts of the page show already. `name` is the sensor's, where the event is about one. */
export function noteOf(event: HubEvent, name: string | null, t: TFunction): Note | null {
  const count = Number(event.details.count ?? 1);
  const sensor = name ?? t("event.sensor");
  const journal = { actionText: t("event.toJournal"), address: `monitor?journal=${event.subjectId ?? ""}` };
  switch (event.kind) {
    case "limit_exceeded":
      return { tone: "warn", title: t("event.limit", { name: sensor }), detail: t("event.limitText", { count }), ...journal };
    case "conversion_error":
      return { tone: "warn", title: t("event.conversion", { name: sensor }), detail: t("event.conversionText", { count }), ...journal };
    case "rejected":
      return { tone: "warn", title: t("event.rejected", { name: sensor }), detail: t("event.rejectedText", { count }), ...journal };
    case "ingest_delayed":
    case "buffering":
      return intakeNote(event, t);
    case "backfill_finished":
      return {
        tone: event.details.status === "failed" ? "bad" : "ok",
        title: t(event.details.status === "failed" ? "event.backfillFailed" : "event.backfill"),
        ...(name === null ? {} : { detail: name }),
        actionText: t("event.toSensor"),
        address: `sensors/${String(event.details.sensor_id)}`,
      };
    default:
      return null;
  }
}

function intakeNote(event: HubEvent, t: TFunction): Note {
  const buffering = event.kind === "buffering";
  const to = { actionText: t("event.toMonitor"), address: "monitor" };
  if (event.details.over === true) return { tone: "ok", title: t(buffering ? "event.bufferingOver" : "event.delayedOver"), ...to };
  const { value, unit } = delay(Number(event.details.delay_ms ?? 0));
  const away = event.details.database_away === true;
  return {
    tone: "warn",
    title: t(buffering ? "event.buffering" : "event.delayed"),
    detail: t(away ? "event.databaseAway" : "event.behind", { time: `${value} ${unit}` }),
    ...to,
  };
}
