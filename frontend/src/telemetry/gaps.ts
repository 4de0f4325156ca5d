/** Where a sensor was silent, so that charts break the line there: as the hub tells it, else by the hub's own rule. */

import { lowerBound } from "./m4";

export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Neighbours further apart than so many usual spacings have a gap between them: the hub judges history alike. */
export const GAP_SPACINGS = 5;
/** What arrives out of order does so within this time, so a younger, shorter hole is none yet. */
export const SETTLE_S = 2;
const PROBES = 501;
const FEWEST = 4;

/** Median spacing in seconds of up to PROBES neighbours in [lo, hi); null where too few samples tell it. */
export function usualSpacing(t: Float64Array, lo: number, hi: number): number | null {
  if (hi - lo < FEWEST) return null;
  const step = Math.max(1, Math.floor((hi - lo - 1) / PROBES));
  const spacings: number[] = [];
  for (let i = lo; i < hi - 1; i += step) {
    const spacing = (t[i + 1] ?? 0) - (t[i] ?? 0);
    if (spacing > 0) spacings.push(spacing);
  }
  spacings.sort((a, b) => a - b);
  return spacings[spacings.length >> 1] ?? null;
}

/** How what was not told is judged: by the sensor's usual spacing, younger holes than `settled` with patience. */
export interface Judgement {
  readonly usualS: number;
  /** Seconds since 1970. */
  readonly settled: number;
}

interface Stretch extends Gap {
  readonly gaps: readonly Gap[];
}

/** The gaps of one sensor: told for stretches of its history, judged by distance elsewhere. */
export class KnownGaps {
  private stretches: readonly Stretch[] = [];

  /** Take all gaps between the samples at `from` and `to`, in place of what was known there. */
  tell(from: number, to: number, gaps: readonly Gap[]): void {
    const parts = this.stretches.flatMap((old) => [cut(old, old.from, Math.min(old.to, from)), cut(old, Math.max(old.from, to), old.to)]);
    this.stretches = [...parts.filter((part) => part.from < part.to), { from, to, gaps }].sort((a, b) => a.from - b.from);
  }

  trim(before: number): void {
    const [oldest] = this.stretches;
    if (oldest === undefined || oldest.to >= before) return;
    this.stretches = this.stretches.filter((stretch) => stretch.to >= before);
  }

  /** Gaps between the samples [lo, hi) of a sorted column. */
  within(t: Float64Array, lo: number, hi: number, judgement: Judgement): Gap[] {
    const found: Gap[] = [];
    const leastS = GAP_SPACINGS * judgement.usualS;
    const judge = (a: number, b: number): void => {
      const end = Math.min(hi - 1, b);
      for (let i = Math.max(lo, a); i < end; i += 1) {
        if ((t[i + 1] ?? 0) - (t[i] ?? 0) > leastS) pushGap(found, t[i] ?? 0, t[i + 1] ?? 0, judgement);
      }
    };
    let at = lo;
    for (const stretch of this.stretches) {
      const first = lowerBound(t, stretch.from);
      judge(at, first);
      for (const gap of stretch.gaps) {
        if (gap.to <= (t[lo] ?? 0) || gap.from >= (t[hi - 1] ?? 0)) continue;
        const inside = after(t, gap.from);
        const end = lowerBound(t, gap.to);
        if (end <= inside) found.push(gap);
        else {
          // Late samples fell into it since it was told.
          pushGap(found, gap.from, t[inside] ?? 0, judgement);
          judge(inside, end - 1);
          pushGap(found, t[end - 1] ?? 0, gap.to, judgement);
        }
      }
      at = Math.max(at, after(t, stretch.to) - 1);
    }
    judge(at, hi - 1);
    return found;
  }
}

function pushGap(found: Gap[], from: number, to: number, { usualS, settled }: Judgement): void {
  const spacing = to - from;
  if (spacing > GAP_SPACINGS * usualS && (to <= settled || spacing > SETTLE_S)) found.push({ from, to });
}

/** Index of the first value above x in a sorted column. */
function after(t: Float64Array, x: number): number {
  let i = lowerBound(t, x);
  while (i < t.length && (t[i] ?? 0) <= x) i += 1;
  return i;
}

const cut = (stretch: Stretch, from: number, to: number): Stretch => ({
  from,
  to,
  gaps: stretch.gaps.filter((gap) => gap.from >= from && gap.to <= to),
});
