import { describe, expect, it } from "vitest";

import { KnownGaps, usualSpacing } from "@/telemetry/gaps";

const every = (from: number, to: number, step: number): number[] => Array.from({ length: Math.round((to - from) / step) }, (_, i) => from + i * step);
const SETTLED = { usualS: 1, settled: Infinity };

function within(known: KnownGaps, t: number[], judgement = SETTLED, lo = 0, hi = t.length): (readonly [number, number])[] {
  return known.within(Float64Array.from(t), lo, hi, judgement).map((gap) => [gap.from, gap.to] as const);
}

describe("usualSpacing", () => {
  it("is the median, which repeated times do not move and three samples do not tell", () => {
    expect(usualSpacing(Float64Array.of(0, 0, 0, 10, 20, 30, 90), 0, 7)).toBe(10);
    expect(usualSpacing(Float64Array.of(0, 10, 20), 0, 3)).toBeNull();
  });
});

describe("KnownGaps", () => {
  it("judges what was not told as the hub does: by more than five usual spacings", () => {
    const t = [0, 1, 2, 7, 8, 9, 14.1, 15];
    expect(within(new KnownGaps(), t)).toEqual([[9, 14.1]]);
    expect(within(new KnownGaps(), t, SETTLED, 0, 6)).toEqual([]);
  });

  it("lets a short hole be filled for two seconds before it is one", () => {
    const t = [...every(0, 1, 0.1), ...every(2, 3, 0.1)];
    expect(within(new KnownGaps(), t, { usualS: 0.1, settled: 1.5 })).toEqual([]);
    expect(within(new KnownGaps(), t, { usualS: 0.1, settled: 2.5 })).toHaveLength(1);
    expect(within(new KnownGaps(), [0, 0.1, 5], { usualS: 0.1, settled: 0 })).toEqual([[0.1, 5]]);
  });

  it("shows what was told and nothing else where it was told, whatever the distances", () => {
    const known = new KnownGaps();
    // Thinned history: its samples are far apart, one gap lies between two that were left out.
    known.tell(0, 100, [{ from: 41, to: 59 }]);
    const t = [0, 30, 40, 60, 100, 101, 102, 110];
    expect(within(known, t)).toEqual([[41, 59], [102, 110]]);
    expect(within(known, t, SETTLED, 3, 8)).toEqual([[102, 110]]);
    expect(within(known, t, SETTLED, 0, 2)).toEqual([]);
  });

  it("judges anew a gap that was told and into which late samples fell", () => {
    const known = new KnownGaps();
    known.tell(0, 30, [{ from: 10, to: 20 }]);
    const whole = every(0, 11, 1);
    expect(within(known, [...whole, 11, 12, ...every(20, 31, 1)])).toEqual([[12, 20]]);
    expect(within(known, [...every(0, 31, 1)])).toEqual([]);
  });

  it("judges the distance between two stretches, and lets a newer telling replace an older", () => {
    const known = new KnownGaps();
    known.tell(0, 10, [{ from: 4, to: 6 }]);
    known.tell(40, 50, []);
    const t = [0, 4, 6, 10, 40, 50];
    expect(within(known, t)).toEqual([[4, 6], [10, 40]]);
    known.tell(0, 50, [{ from: 10, to: 40 }]);
    expect(within(known, t)).toEqual([[10, 40]]);
    known.tell(10, 50, []);
    expect(within(known, t)).toEqual([]);
  });

  it("forgets what was told of times that are gone", () => {
    const known = new KnownGaps();
    known.tell(0, 10, [{ from: 4, to: 6 }]);
    known.trim(11);
    expect(within(known, [4, 6, 10])).toEqual([]);
  });
});
