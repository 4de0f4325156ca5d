/** Picks the samples that a line of a given pixel width needs: first, min, max and last of every pixel column. */

/** Index of the first value that is not below x in a sorted column. */
export function lowerBound(sorted: Float64Array, x: number, lo = 0, hi = sorted.length): number {
  let low = lo;
  let high = hi;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((sorted[mid] ?? 0) < x) low = mid + 1;
    else high = mid;
  }
  return low;
}

/**
 * Indices in [lo, hi) that keep first, last and each layer's extremes of every column, ascending.
 * Columns divide [x0, x1) evenly; all layers share them, so that raw and physical keep one x axis.
 */
export function m4(
  t: Float64Array,
  layers: readonly Float64Array[],
  lo: number,
  hi: number,
  x0: number,
  x1: number,
  columns: number,
): Uint32Array {
  const count = hi - lo;
  if (count <= columns * (2 + 2 * layers.length) || x1 <= x0) {
    return Uint32Array.from({ length: Math.max(0, count) }, (_, i) => lo + i);
  }
  const picked = new Uint32Array(columns * (2 + 2 * layers.length) + 4);
  let size = 0;
  const perSecond = columns / (x1 - x0);
  const extremes = new Int32Array(2 * layers.length);
  const columnOf = (i: number): number => Math.floor(((t[i] ?? 0) - x0) * perSecond);

  let first = lo;
  while (first < hi) {
    const column = columnOf(first);
    let next = first;
    extremes.fill(-1);
    for (; next < hi && columnOf(next) === column; next += 1) {
      for (let k = 0; k < layers.length; k += 1) {
        const values = layers[k];
        const value = values?.[next] ?? NaN;
        if (values === undefined || Number.isNaN(value)) continue;
        const min = extremes[2 * k] ?? -1;
        const max = extremes[2 * k + 1] ?? -1;
        if (min < 0 || value < (values[min] ?? 0)) extremes[2 * k] = next;
        if (max < 0 || value > (values[max] ?? 0)) extremes[2 * k + 1] = next;
      }
    }
    const chosen = [first, next - 1, ...extremes].filter((i) => i >= 0).sort((a, b) => a - b);
    let previous = -1;
    for (const i of chosen) {
      if (i !== previous && size < picked.length) picked[size++] = i;
      previous = i;
    }
    first = next;
  }
  return picked.subarray(0, size);
}
