import { describe, expect, it } from "vitest";

import type { Sensor } from "@/api/model";
import { liveSensor, silenceS } from "@/features/sensors/live-sensor";

const NOW_S = Date.parse("2026-11-27T12:00:00Z") / 1000;
const sensor = (state: Sensor["state"], silentS: number | null): Sensor =>
  ({ state, heartbeat_interval_s: 10, last_t: silentS === null ? null : new Date((NOW_S - silentS) * 1000).toISOString(), delay_ms: 100 }) as Sensor;
const silence = (state: Sensor["state"], silentS: number | null, delayMs = 100): number | null => {
  const of = sensor(state, silentS);
  return silenceS(of, liveSensor({ ...of, delay_ms: delayMs }, undefined), NOW_S);
};

describe("a sensor's silence", () => {
  it("is told while it is offline, and while it is delayed for want of packets", () => {
    expect(silence("offline", 1320)).toBe(1320);
    expect(silence("delayed", 25)).toBe(25);
  });

  it("is none while packets come, be they late", () => {
    expect(silence("online", 12)).toBeNull();
    expect(silence("online", 30, 30_000)).toBeNull();
    expect(silence("delayed", 3)).toBeNull();
  });

  it("is none before anything was heard", () => {
    expect(silence("unknown", null)).toBeNull();
    expect(silence("offline", null)).toBeNull();
  });
});
