/** A sensor as the monitor shows it: what the hub says of it, with the newest live reading on top. */

import type { Sensor, SensorState } from "@/api/model";
import type { Reading } from "@/telemetry/protocol";
import { seconds } from "@/ui/format";
import type { Mark } from "@/ui/state-mark";

export const LATE_MS = 5_000;
export const VERY_LATE_MS = 10_000;

export interface LiveSensor {
  readonly state: SensorState;
  readonly mark: Mark;
  readonly physical: number | null;
  readonly raw: number | null;
  /** Seconds since 1970; null before the first sample. */
  readonly t: number | null;
  readonly delayMs: number | null;
  readonly ratePerS: number;
  readonly beats: readonly number[];
}

export const MARKS: Record<SensorState, Mark> = { online: "ok", delayed: "warn", offline: "bad", unknown: "none" };

export function liveSensor(sensor: Sensor, reading: Reading | undefined): LiveSensor {
  const stored = sensor.last_t === null ? null : seconds(sensor.last_t);
  const newer = reading !== undefined && (stored === null || reading.t >= stored - 1e-3);
  const delayMs = reading?.delayMs ?? sensor.delay_ms;
  const late = sensor.state === "online" && delayMs !== null && delayMs > LATE_MS;
  const state = late ? "delayed" : sensor.state;
  return {
    state,
    mark: MARKS[state],
    physical: newer ? reading.physical : sensor.last_physical,
    raw: newer ? reading.raw : (sensor.last_raw ?? null),
    t: newer ? reading.t : stored,
    delayMs,
    ratePerS: state === "offline" ? 0 : (reading?.ratePerS ?? 0),
    beats: reading?.beats ?? [],
  };
}

export const needsAttention = (state: SensorState): boolean => state === "delayed" || state === "offline";

/** For how long nothing came, where this is what is wrong with the sensor; null otherwise. */
export function silenceS(sensor: Sensor, live: LiveSensor, nowS: number): number | null {
  if (live.t === null || !needsAttention(sensor.state)) return null;
  const silentS = nowS - live.t;
  // The hub tells states at intervals: a sensor that is heard again is delayed on paper only.
  return sensor.state === "offline" || silentS > sensor.heartbeat_interval_s ? silentS : null;
}

/** What a tile shows large: the physical value, or raw where a sensor has no conversion. */
export function mainValue(sensor: Sensor, live: LiveSensor): { value: number | null; unit: string } {
  if (live.physical === null && sensor.active_profile === null && live.raw !== null) {
    return { value: live.raw, unit: sensor.input_unit };
  }
  return { value: live.physical, unit: sensor.display_unit };
}
