/** Holds one sensor's newest samples sorted by time, each once, within a bound; the oldest are condensed, not dropped. */

import { KnownGaps, usualSpacing } from "./gaps";
import { lowerBound, m4 } from "./m4";

/** Beyond this many samples the oldest become aggregate windows. */
export const FULL_SAMPLES = 30_000;
const SLACK = 4_000;
const KEPT_FULL = 20_000;
const CONDENSED_COLUMNS = 1_500;

export interface Columns {
  readonly t: Float64Array;
  readonly raw: Float64Array | null;
  readonly physical: Float64Array | null;
  readonly status: Uint8Array | null;
}

const sameBits = (a: number, b: number): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));

export class Ring {
  private times = new Float64Array(256);
  private raws = new Float64Array(256);
  private physicals = new Float64Array(256);
  private states = new Uint8Array(256);
  private start = 0;
  private end = 0;
  /** From here on every sample is held; before it only what a line needs. */
  fullFrom = -Infinity;
  readonly gaps = new KnownGaps();

  get length(): number {
    return this.end - this.start;
  }
  get t(): Float64Array {
    return this.times.subarray(this.start, this.end);
  }
  get raw(): Float64Array {
    return this.raws.subarray(this.start, this.end);
  }
  get physical(): Float64Array {
    return this.physicals.subarray(this.start, this.end);
  }
  get status(): Uint8Array {
    return this.states.subarray(this.start, this.end);
  }

  /** Take samples in any order; what is held already (same time, same raw and physical) is left out. Returns how many were new. */
  add(columns: Columns): number {
    let added = 0;
    const order = sortedOrder(columns.t);
    for (let k = 0; k < columns.t.length; k += 1) {
      const i = order === null ? k : (order[k] ?? 0);
      const t = columns.t[i] ?? 0;
      const newest = this.end > this.start ? (this.times[this.end - 1] ?? 0) : -Infinity;
      if (t > newest) {
        this.push(t, columns, i);
        added += 1;
        continue;
      }
      // Late or repeated samples are rare but for history, which comes once: merge the rest in one go.
      return added + this.merge(columns, order, k);
    }
    this.bound();
    return added;
  }

  /** Forget what is older than a time, in seconds. */
  trim(before: number): void {
    this.start += lowerBound(this.t, before);
    if (this.start === this.end) this.start = this.end = 0;
    this.gaps.trim(before);
  }

  /** The usual spacing, in seconds, of the samples [lo, hi) that are all held; null where too few are. */
  usualSpacing(lo: number, hi: number): number | null {
    const t = this.t;
    return usualSpacing(t, Math.max(lo, lowerBound(t, this.fullFrom)), hi);
  }

  private push(t: number, columns: Columns, i: number): void {
    if (this.end === this.times.length) this.rehouse(this.length + 1);
    this.times[this.end] = t;
    this.raws[this.end] = columns.raw?.[i] ?? NaN;
    this.physicals[this.end] = columns.physical?.[i] ?? NaN;
    this.states[this.end] = columns.status?.[i] ?? 0;
    this.end += 1;
  }

  private merge(columns: Columns, order: Uint32Array | null, from: number): number {
    const old = { t: this.t.slice(), raw: this.raw.slice(), physical: this.physical.slice(), status: this.status.slice() };
    const rest = columns.t.length - from;
    this.start = this.end = 0;
    if (this.times.length < old.t.length + rest) this.rehouse(old.t.length + rest);
    let added = 0;
    let a = 0;
    for (let k = from; k < columns.t.length; k += 1) {
      const i = order === null ? k : (order[k] ?? 0);
      const t = columns.t[i] ?? 0;
      for (; a < old.t.length && (old.t[a] ?? 0) <= t; a += 1) this.push(old.t[a] ?? 0, old, a);
      if (this.holds(t, columns.raw?.[i] ?? NaN, columns.physical?.[i] ?? NaN)) continue;
      this.push(t, columns, i);
      added += 1;
    }
    for (; a < old.t.length; a += 1) this.push(old.t[a] ?? 0, old, a);
    this.bound();
    return added;
  }

  private holds(t: number, raw: number, physical: number): boolean {
    for (let i = this.end - 1; i >= this.start && this.times[i] === t; i -= 1) {
      if (sameBits(this.raws[i] ?? NaN, raw) && sameBits(this.physicals[i] ?? NaN, physical)) return true;
    }
    return false;
  }

  private bound(): void {
    if (this.length <= FULL_SAMPLES + SLACK) return;
    const old = this.length - KEPT_FULL;
    const t = this.t;
    const x0 = t[0] ?? 0;
    const x1 = t[old] ?? 0;
    // What is condensed here would show gaps of its own.
    this.gaps.tell(x0, x1, this.gaps.within(t, 0, old + 1, { usualS: this.usualSpacing(0, old) ?? Infinity, settled: Infinity }));
    const kept = m4(t, [this.physical, this.raw], 0, old, x0, x1, CONDENSED_COLUMNS);
    const shift = this.start + old - kept.length;
    for (let k = kept.length - 1; k >= 0; k -= 1) {
      // Written from the right, so that nothing is overwritten before it was read.
      const from = this.start + (kept[k] ?? 0);
      this.times[shift + k] = this.times[from] ?? 0;
      this.raws[shift + k] = this.raws[from] ?? NaN;
      this.physicals[shift + k] = this.physicals[from] ?? NaN;
      this.states[shift + k] = this.states[from] ?? 0;
    }
    this.start = shift;
    this.fullFrom = Math.max(this.fullFrom, x1);
  }

  private rehouse(needed: number): void {
    const capacity = Math.max(256, 2 ** Math.ceil(Math.log2(needed * 1.25)));
    const move = <T extends Float64Array | Uint8Array>(into: T, from: T): T => {
      into.set(from.subarray(this.start, this.end));
      return into;
    };
    this.times = move(new Float64Array(capacity), this.times);
    this.raws = move(new Float64Array(capacity), this.raws);
    this.physicals = move(new Float64Array(capacity), this.physicals);
    this.states = move(new Uint8Array(capacity), this.states);
    this.end -= this.start;
    this.start = 0;
  }
}

/** The order that sorts a column, or null when it is sorted already, as it nearly always is. */
function sortedOrder(t: Float64Array): Uint32Array | null {
  let sorted = true;
  for (let i = 1; i < t.length && sorted; i += 1) sorted = (t[i - 1] ?? 0) <= (t[i] ?? 0);
  if (sorted) return null;
  return Uint32Array.from(t.keys()).sort((a, b) => (t[a] ?? 0) - (t[b] ?? 0) || a - b);
}
