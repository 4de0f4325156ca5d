/** Chooses what an axis shows: raw and physical share a plot, physical above, raw below, at round ends that stay put. */

import type { Extent } from "@/telemetry/protocol";

import { step125 } from "./ticks";

export type Place = "upper" | "lower" | "full";

export interface AxisRange {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

const ZONES: Record<Place, readonly [number, number]> = { upper: [0.5, 0.92], lower: [0.08, 0.46], full: [0.1, 0.9] };
const KEEP_MARGIN = 0.02;
/** A range is narrowed only when the new one would be this much smaller. */
const NARROW_AT = 0.55;

/** The range in which an extent takes its zone of the plot. `ticks` is how many fit. */
export function placed(extent: Extent, place: Place, ticks: number): AxisRange {
  const [from, to] = ZONES[place];
  const middle = (extent.min + extent.max) / 2;
  const least = Math.max(Math.abs(middle) * 1e-3, 1e-9);
  const spread = Math.max(extent.max - extent.min, least);
  const total = spread / (to - from);
  const min = middle - spread / 2 - from * total;
  const step = step125(total / Math.max(2, ticks));
  const low = Math.floor(min / step + 1e-9) * step;
  const high = Math.ceil((min + total) / step - 1e-9) * step;
  return { min: low, max: high, step };
}

/** The next range for new data: the current one while it still fits, so that the picture does not jump. */
export function settled(current: AxisRange | null, extent: Extent | null, place: Place, ticks: number): AxisRange | null {
  if (extent === null) return current;
  const wanted = placed(extent, place, ticks);
  if (current === null) return wanted;
  const size = current.max - current.min;
  const margin = size * KEEP_MARGIN;
  const fits = extent.min >= current.min + margin && extent.max <= current.max - margin;
  const middle = ((extent.min + extent.max) / 2 - current.min) / size;
  const inPlace = place === "full" || (place === "upper" ? middle > 0.42 : middle < 0.58);
  return fits && inPlace && wanted.max - wanted.min > NARROW_AT * size ? current : wanted;
}

/** A range that a person fixed, with ticks to match. */
export function lockedRange(min: number, max: number, ticks: number): AxisRange {
  return { min, max, step: step125((max - min) / Math.max(2, ticks)) };
}
