import type { TFunction } from "i18next";
import { expect, it } from "vitest";

import { noteOf } from "@/app/shell/event-notes";
import type { HubEvent } from "@/telemetry/protocol";

const t = ((key: string, blanks: object = {}) => `${key} ${JSON.stringify(blanks)}`) as unknown as TFunction;
const event = (kind: string, details: Record<string, unknown> = {}, subjectId: string | null = "s1"): HubEvent => ({ kind, projectId: "p", subjectId, details });

it("leads from a sensor's trouble to its journal, with the number and the name", () => {
  for (const kind of ["limit_exceeded", "conversion_error", "rejected"]) {
    const note = noteOf(event(kind, { count: 7 }), "Pump A", t);
    expect(note?.title).toContain("Pump A");
    expect(note?.detail).toContain("7");
    expect(note?.address).toBe("monitor?journal=s1");
  }
});

it("says how late the intake is, whether the database is away, and when that is over", () => {
  const late = noteOf(event("ingest_delayed", { over: false, delay_ms: 900, database_away: false }, null), null, t);
  expect(late).toMatchObject({ tone: "warn", address: "monitor" });
  expect(late?.detail).toContain("900");
  expect(noteOf(event("buffering", { over: false, delay_ms: 4000, database_away: true }, null), null, t)?.detail).toContain("databaseAway");
  expect(noteOf(event("buffering", { over: true, delay_ms: 0 }, null), null, t)).toMatchObject({ tone: "ok" });
});

it("leads from a backfill that is over to its sensor, and says when it failed", () => {
  expect(noteOf(event("backfill_finished", { sensor_id: "s2", status: "finished" }, "b1"), null, t)).toMatchObject({ tone: "ok", address: "sensors/s2" });
  expect(noteOf(event("backfill_finished", { sensor_id: "s2", status: "failed" }, "b1"), null, t)).toMatchObject({ tone: "bad", address: "sensors/s2" });
  expect(noteOf(event("backfill_finished", { sensor_id: "s2", status: "finished" }, "b1"), "Pump A", t)?.detail).toBe("Pump A");
});

it("is silent about what the page shows anyway", () => {
  for (const kind of ["sensor_state", "capture", "backfill_progress", "something new"]) expect(noteOf(event(kind), null, t)).toBeNull();
});
