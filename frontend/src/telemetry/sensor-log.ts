/** What the worker keeps of one sensor: its samples, and when its packets arrived. */

import type { FrameSeries } from "./frames";
import { lowerBound, m4 } from "./m4";
import { BEAT_FULL, BEAT_LATE, BEAT_MISSED, BEAT_UNKNOWN, type Reading, type Spark } from "./protocol";
import { type Columns, Ring } from "./ring";

const SPARK_S = 60;
const SPARK_COLUMNS = 60;
const RATE_S = 10;
const BEATS = 8;
const LATE_MS = 5_000;
const MONITOR_KEEP_S = 75;

interface Arrival {
  readonly at: number;
  readonly delayMs: number;
}

export class SensorLog {
  readonly ring = new Ring();
  /** Seconds of history that open charts want; the monitor needs a minute. */
  keepS = MONITOR_KEEP_S;
  /** Earliest time asked from the hub's history; nothing is asked twice. */
  askedFrom = Infinity;
  heartbeatIntervalS = 10;
  private arrivals: Arrival[] = [];
  private seenAt = 0;
  private delayMs = NaN;
  private firstHeardAt = Infinity;
  private historyRatePerS = 0;

  constructor(readonly id: string) {}

  /** Take a live packet that arrived at `nowS` by the hub's clock. */
  receive(columns: Columns, delayMs: number, nowS: number): void {
    this.ring.add(columns);
    this.arrivals.push({ at: nowS, delayMs });
    this.seenAt = nowS;
    this.delayMs = delayMs;
    this.firstHeardAt = Math.min(this.firstHeardAt, nowS);
  }

  /** Take history that ends at `to`; it stands for arrivals at its own times, whose delay nobody knows. */
  fill(series: FrameSeries, to: number): void {
    const { t, gaps } = series;
    const [oldest] = t;
    this.historyRatePerS = heldRate(series);
    if (series.decimated) this.ring.fullFrom = Math.max(this.ring.fullFrom, to);
    if (oldest !== undefined) {
      this.firstHeardAt = Math.min(this.firstHeardAt, oldest);
      if (gaps !== null) this.ring.gaps.tell(oldest, t[t.length - 1] ?? oldest, gaps);
    }
    this.ring.add(series);
  }

  tidy(nowS: number): void {
    this.ring.trim(nowS - this.keepS);
    if (Number.isFinite(this.askedFrom)) this.askedFrom = Math.max(this.askedFrom, nowS - this.keepS);
    const horizon = nowS - Math.max(SPARK_S, (BEATS + 1) * this.heartbeatIntervalS);
    const stale = this.arrivals.findIndex((arrival) => arrival.at >= horizon);
    if (stale > 0) this.arrivals.splice(0, stale);
    else if (stale < 0) this.arrivals = [];
  }

  reading(nowS: number): Reading | null {
    const { t, raw, physical, status } = this.ring;
    const last = t.length - 1;
    if (last < 0) return null;
    const value = (column: Float64Array): number | null => {
      const v = column[last] ?? NaN;
      return Number.isNaN(v) ? null : v;
    };
    return {
      id: this.id,
      t: t[last] ?? 0,
      raw: value(raw),
      physical: value(physical),
      status: status[last] ?? 0,
      delayMs: Number.isNaN(this.delayMs) ? null : this.delayMs,
      ratePerS: this.rate(nowS),
      seenAt: this.seenAt,
      beats: this.beats(nowS),
    };
  }

  spark(nowS: number): Spark {
    const { t, physical, raw } = this.ring;
    const lo = lowerBound(t, nowS - SPARK_S);
    const hasPhysical = physical.subarray(lo).some((v) => !Number.isNaN(v));
    const values = hasPhysical ? physical : raw;
    const kept = m4(t, [values], lo, t.length, nowS - SPARK_S, nowS, SPARK_COLUMNS);
    const points = new Float64Array(kept.length * 2);
    kept.forEach((i, k) => {
      points[2 * k] = nowS - (t[i] ?? 0);
      points[2 * k + 1] = values[i] ?? NaN;
    });
    return { id: this.id, points, floor: noiseFloor(values, lo) };
  }

  delaysSince(sinceS: number): number[] {
    return this.arrivals.filter((a) => a.at >= sinceS && !Number.isNaN(a.delayMs)).map((a) => a.delayMs);
  }

  /** Samples per second over the last ten seconds of the sensor's own time; less while it has been heard for less. */
  rate(nowS: number): number {
    const { t } = this.ring;
    if (t.length < 2) return 0;
    const newest = t[t.length - 1] ?? 0;
    const silence = nowS - newest;
    // Condensed history holds fewer samples than were sent.
    const lo = lowerBound(t, Math.max(newest - RATE_S, this.ring.fullFrom));
    const span = newest - (t[lo] ?? newest);
    const count = t.length - 1 - lo;
    if (span < 1 && this.historyRatePerS > 0) return silence > RATE_S ? 0 : this.historyRatePerS;
    if (span <= 0 || silence > Math.max(RATE_S, (5 * span) / count)) return 0;
    return count / span;
  }

  private beats(nowS: number): number[] {
    const interval = this.heartbeatIntervalS;
    const { t } = this.ring;
    return Array.from({ length: BEATS }, (_, k) => {
      const to = nowS - (BEATS - 1 - k) * interval;
      const from = to - interval;
      const heard = this.arrivals.filter((a) => a.at > from && a.at <= to);
      if (heard.length > 0) return heard.every((a) => a.delayMs > LATE_MS) ? BEAT_LATE : BEAT_FULL;
      const sampled = lowerBound(t, to) > lowerBound(t, from);
      if (sampled) return BEAT_FULL;
      return to <= this.firstHeardAt || !Number.isFinite(this.firstHeardAt) ? BEAT_UNKNOWN : BEAT_MISSED;
    });
  }
}

/** Twenty times the usual step between neighbours: white noise then fills about a third of the height. */
function noiseFloor(values: Float64Array, lo: number): number {
  const steps: number[] = [];
  const stride = Math.max(1, Math.floor((values.length - lo) / 400));
  let sum = 0;
  for (let i = lo + 1; i < values.length; i += stride) {
    const step = Math.abs((values[i] ?? NaN) - (values[i - 1] ?? NaN));
    if (Number.isNaN(step)) continue;
    steps.push(step);
    sum += Math.abs(values[i] ?? 0);
  }
  if (steps.length === 0) return 0;
  steps.sort((a, b) => a - b);
  return Math.max(20 * (steps[steps.length >> 1] ?? 0), (1e-4 * sum) / steps.length);
}

/** Samples per second that a stretch of history stood for before it was thinned. */
function heldRate(series: { readonly t: Float64Array; readonly total: number }): number {
  const span = (series.t[series.t.length - 1] ?? 0) - (series.t[0] ?? 0);
  return span > 0 ? (series.total - 1) / span : 0;
}
