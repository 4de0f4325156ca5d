import { describe, expect, it } from "vitest";

import type { Gap } from "@/telemetry/gaps";
import { type Columns, FULL_SAMPLES, Ring } from "@/telemetry/ring";

const columns = (t: number[], raw: number[] = t, physical: number[] = raw.map((v) => 2 * v)): Columns => ({
  t: Float64Array.from(t),
  raw: Float64Array.from(raw),
  physical: Float64Array.from(physical),
  status: null,
});

describe("Ring", () => {
  it("puts late samples in their place and holds repeats once", () => {
    const ring = new Ring();
    expect(ring.add(columns([1, 2, 5]))).toBe(3);
    expect(ring.add(columns([3, 2, 6, 4]))).toBe(3);
    expect([...ring.t]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...ring.physical]).toEqual([2, 4, 6, 8, 10, 12]);
    expect(ring.add(columns([1, 2, 3, 4, 5, 6]))).toBe(0);
  });

  it("keeps two values at one time, but not the same value twice", () => {
    const ring = new Ring();
    ring.add(columns([1, 1], [10, 20]));
    ring.add(columns([1, 1, 2], [20, 30, 5]));
    expect([...ring.t]).toEqual([1, 1, 1, 2]);
    expect([...ring.raw].slice(0, 3).sort((a, b) => a - b)).toEqual([10, 20, 30]);
  });

  it("holds a sample without raw once", () => {
    const ring = new Ring();
    const noRaw: Columns = { t: Float64Array.of(1), raw: null, physical: Float64Array.of(4), status: null };
    ring.add(noRaw);
    ring.add(noRaw);
    expect(ring.length).toBe(1);
  });

  it("forgets what is older than asked", () => {
    const ring = new Ring();
    ring.add(columns([1, 2, 3, 4]));
    ring.trim(3);
    expect([...ring.t]).toEqual([3, 4]);
    ring.trim(9);
    ring.add(columns([1]));
    expect([...ring.t]).toEqual([1]);
  });

  it("condenses the oldest beyond its bound and keeps their extremes", () => {
    const ring = new Ring();
    const n = 4 * FULL_SAMPLES;
    for (let from = 0; from < n; from += 1000) {
      const t = Array.from({ length: 1000 }, (_, i) => from + i);
      ring.add(columns(t, t.map((i) => (i === 777 ? 1e9 : i === 60_001 ? -1e9 : Math.sin(i)))));
    }
    expect(ring.length).toBeLessThan(FULL_SAMPLES + 10_000);
    expect(ring.t[0]).toBe(0);
    expect(ring.t.at(-1)).toBe(n - 1);
    expect(Math.max(...ring.raw)).toBe(1e9);
    expect(Math.min(...ring.raw)).toBe(-1e9);
    expect(ring.fullFrom).toBeGreaterThan(n - FULL_SAMPLES - 10_000);
    expect([...ring.t].every((t, i, all) => i === 0 || (all[i - 1] ?? 0) < t)).toBe(true);
    // Not a break in the line, though condensed and full parts are spaced differently.
    expect(gapsOf(ring)).toEqual([]);
  });

  it("remembers the gaps of what it condensed", () => {
    const ring = new Ring();
    const n = 3 * FULL_SAMPLES;
    // The second one lies across the place where the ring is condensed first.
    const silent = [[1000, 1004], [14_000, 14_100], [n - 50, n - 40]];
    for (let from = 0; from < n; from += 500) {
      const t = Array.from({ length: 500 }, (_, i) => from + i).filter((i) => !silent.some(([a, b]) => i > (a ?? 0) && i < (b ?? 0)));
      ring.add(columns(t));
    }
    expect(ring.fullFrom).toBeGreaterThan(14_100);
    expect(gapsOf(ring)).toEqual([{ from: 14_000, to: 14_100 }, { from: n - 50, to: n - 40 }]);
  });
});

const gapsOf = (ring: Ring): Gap[] =>
  ring.gaps.within(ring.t, 0, ring.length, { usualS: ring.usualSpacing(0, ring.length) ?? NaN, settled: Infinity });
