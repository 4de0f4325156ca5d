/** The last minute of a sensor as one thin line, never scaled below the sensor's own noise. */

import type { ReactElement } from "react";

import { GAP_SPACINGS, SETTLE_S } from "@/telemetry/gaps";
import type { Spark } from "@/telemetry/protocol";

interface Props {
  readonly spark: Spark | undefined;
  readonly width: number;
  readonly height: number;
  readonly quiet?: boolean;
}

const WINDOW_S = 60;

/** SVG path over [0, width] × [0, height]; breaks where nothing came. */
export function sparkPath(spark: Spark, width: number, height: number): { path: string; end: [number, number] | null } {
  const { points, floor } = spark;
  let min = Infinity;
  let max = -Infinity;
  for (let k = 1; k < points.length; k += 2) {
    const value = points[k] ?? NaN;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return { path: "", end: null };
  const span = Math.max(max - min, floor, Number.MIN_VALUE);
  const top = (min + max) / 2 + span / 2;
  const spacings: number[] = [];
  for (let k = 2; k < points.length; k += 2) spacings.push((points[k - 2] ?? 0) - (points[k] ?? 0));
  spacings.sort((a, b) => a - b);
  // Of thinned points the least spacings say little.
  const limit = Math.max(SETTLE_S, GAP_SPACINGS * (spacings[spacings.length >> 1] ?? 0));
  let path = "";
  let end: [number, number] | null = null;
  let previous = Infinity;
  for (let k = 0; k < points.length; k += 2) {
    const ago = points[k] ?? 0;
    const value = points[k + 1] ?? NaN;
    if (Number.isNaN(value)) continue;
    const x = Math.max(0, Math.min(width, width * (1 - ago / WINDOW_S)));
    const y = 2 + ((top - value) / span) * (height - 4);
    path += `${previous - ago > limit ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    end = [x, y];
    previous = ago;
  }
  return { path, end };
}

export function Sparkline({ spark, width, height, quiet = false }: Props): ReactElement {
  const drawn = spark === undefined ? null : sparkPath(spark, width - 4, height);
  const color = quiet ? "var(--none-mark)" : "var(--physical)";
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width="100%" height={height} preserveAspectRatio="none" aria-hidden="true">
      {drawn !== null && (
        <>
          <path d={drawn.path} fill="none" stroke={color} strokeWidth={height < 20 ? 1 : 1.25} strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
          {drawn.end !== null && !quiet && (
            <path d={`M${drawn.end[0]} ${drawn.end[1]}h0.01`} stroke={color} strokeWidth={4} strokeLinecap="round" vectorEffect="non-scaling-stroke" />
          )}
        </>
      )}
    </svg>
  );
}
