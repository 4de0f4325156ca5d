/** Curves of profiles: over which raw values they are drawn, and what they give there. */

import type { Payload } from "@/api/profiles";
import { useCurve } from "@/api/profiles";
import type { Line } from "@/charts/xy-plot";
import { previewOf } from "@/ui/profile-fields";

const STEPS = 160;
const MARGIN = 0.05;

/** The raw values that matter: of the payload's range or points, of reference pairs, and the one that came last. */
export function rangeOf(payloads: readonly (Payload | null | undefined)[], more: readonly number[]): [number, number] {
  const known = [...more];
  for (const payload of payloads) {
    if (payload == null) continue;
    if (payload.input_range != null) known.push(...payload.input_range);
    if (payload.kind === "table") known.push(...payload.points.map(([raw]) => raw));
  }
  if (known.length === 0) return [0, 10];
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const span = max - min || Math.abs(max) || 1;
  return min === max ? [min - span, max + span] : [min - MARGIN * span, max + MARGIN * span];
}

export function grid([from, to]: readonly [number, number]): number[] {
  return Array.from({ length: STEPS + 1 }, (_, i) => Number((from + ((to - from) * i) / STEPS).toPrecision(9)));
}

/** A profile's curve over raw values; a formula is computed by the hub. */
export function useLine(sensorId: string, payload: Payload | null | undefined, raw: readonly number[], how: Omit<Line, "points">): Line | null {
  const formula = payload?.kind === "custom";
  const told = useCurve(sensorId, formula ? payload : null, raw).data;
  if (payload == null) return null;
  if (!formula) return { ...how, points: raw.map((x) => [x, previewOf(payload, x)] as const) };
  return told?.physical.length === raw.length ? { ...how, points: raw.map((x, i) => [x, told.physical[i] ?? null] as const) } : null;
}
