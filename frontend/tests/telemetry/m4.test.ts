import { describe, expect, it } from "vitest";

import { lowerBound, m4 } from "@/telemetry/m4";

const grid = (n: number): Float64Array => Float64Array.from({ length: n }, (_, i) => i);

describe("lowerBound", () => {
  it("finds the first value not below", () => {
    const sorted = Float64Array.from([1, 2, 2, 4]);
    expect([0, 1, 2, 3, 4, 5].map((x) => lowerBound(sorted, x))).toEqual([0, 0, 1, 3, 3, 4]);
  });
});

describe("m4", () => {
  it("keeps all samples when they are few", () => {
    expect([...m4(grid(10), [grid(10)], 2, 8, 2, 8, 100)]).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it("keeps every column's first, last and extremes of every layer", () => {
    const n = 10_000;
    const t = grid(n);
    const a = t.map((i) => Math.sin(i / 50));
    const b = t.map((i) => Math.cos(i / 31));
    a[1234] = 99;
    b[8765] = -99;
    const columns = 37;
    const kept = new Set(m4(t, [a, b], 0, n, 0, n, columns));
    expect(kept.has(1234)).toBe(true);
    expect(kept.has(8765)).toBe(true);
    expect(kept.size).toBeLessThanOrEqual(columns * 6);
    for (let column = 0; column < columns; column += 1) {
      const members = [...t].filter((i) => Math.floor((i * columns) / n) === column);
      expect(kept.has(members[0] ?? -1)).toBe(true);
      expect(kept.has(members.at(-1) ?? -1)).toBe(true);
      for (const layer of [a, b]) {
        const values = members.map((i) => layer[i] ?? 0);
        const drawn = members.filter((i) => kept.has(i)).map((i) => layer[i] ?? 0);
        expect(Math.max(...drawn)).toBe(Math.max(...values));
        expect(Math.min(...drawn)).toBe(Math.min(...values));
      }
    }
  });

  it("answers ascending indices without repeats, and looks past values that are not numbers", () => {
    const values = grid(1000).map((i) => (i % 3 === 0 ? NaN : i));
    const kept = [...m4(grid(1000), [values], 0, 1000, 0, 1000, 20)];
    expect(kept).toEqual([...new Set(kept)].sort((x, y) => x - y));
    expect(kept).toContain(998);
  });
});
