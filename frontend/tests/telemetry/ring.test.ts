import { describe, expect, it } from "vitest";

import { findGaps } from "@/telemetry/gaps";
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
    expect(findGaps(ring.t, 0, ring.length, ring.fullFrom)).toEqual([]);
  });
});

describe("findGaps", () => {
  const t = (...parts: [number, number, number][]): Float64Array =>
    Float64Array.from(parts.flatMap(([from, to, step]) => Array.from({ length: Math.round((to - from) / step) }, (_, i) => from + i * step)));

  it("breaks where a fast sensor is silent for more than two seconds", () => {
    const times = t([0, 10, 0.1], [11.5, 20, 0.1], [30, 40, 0.1]);
    const gaps = findGaps(times, 0, times.length, -Infinity);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]?.to).toBe(30);
    expect(gaps[0]?.from).toBeCloseTo(19.9);
  });

  it("grants a slow sensor three times its usual spacing", () => {
    const slow = Float64Array.from([0, 5, 10, 15, 29, 34, 50, 55]);
    expect(findGaps(slow, 0, slow.length, -Infinity)).toEqual([{ from: 34, to: 50 }]);
  });
});
