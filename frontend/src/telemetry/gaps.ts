/** Finds where a sensor fell silent: spacings far above its usual one, so that charts break the line there. */

/** No gap is shorter, whatever the rate. */
const SHORTEST_S = 2;
const PROBES = 501;

export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Median spacing in seconds of up to PROBES neighbours in [lo, hi); null below three samples. */
export function usualSpacing(t: Float64Array, lo: number, hi: number): number | null {
  const pairs = hi - lo - 1;
  if (pairs < 2) return null;
  const step = Math.max(1, Math.floor(pairs / PROBES));
  const spacings: number[] = [];
  for (let i = lo; i < hi - 1; i += step) {
    const spacing = (t[i + 1] ?? 0) - (t[i] ?? 0);
    if (spacing > 0) spacings.push(spacing);
  }
  if (spacings.length === 0) return null;
  spacings.sort((a, b) => a - b);
  return spacings[spacings.length >> 1] ?? null;
}

/** Spacing in seconds above which a line is broken. */
export function gapThreshold(usual: number | null): number {
  return Math.max(SHORTEST_S, 3 * (usual ?? 0));
}

/** Gaps between neighbours in [lo, hi); condensed history before `fullFrom` is judged by its own, wider spacing. */
export function findGaps(t: Float64Array, lo: number, hi: number, fullFrom: number): Gap[] {
  let split = lo;
  while (split < hi && (t[split] ?? 0) < fullFrom) split += 1;
  const condensed = gapThreshold(usualSpacing(t, lo, split));
  const full = gapThreshold(usualSpacing(t, split, hi));
  const gaps: Gap[] = [];
  for (let i = lo; i < hi - 1; i += 1) {
    const from = t[i] ?? 0;
    const to = t[i + 1] ?? 0;
    if (to - from > (i + 1 < split ? condensed : full)) gaps.push({ from, to });
  }
  return gaps;
}
