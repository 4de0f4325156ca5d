import { describe, expect, it } from "vitest";

import { parseParams } from "@/features/runs/params";
import { NO_FIELDS, parseNumber, parsePoints, parseProfile, previewOf } from "@/features/sensors/profile-fields";

describe("parseNumber", () => {
  it("takes points, commas and a true minus, and nothing else", () => {
    expect(["1.5", "1,5", "\u22122", "+3", "1e-3", " 4 "].map(parseNumber)).toEqual([1.5, 1.5, -2, 3, 0.001, 4]);
    expect(["", "abc", "1.2.3", "NaN", "Infinity", "1 2"].map(parseNumber)).toEqual([null, null, null, null, null, null]);
  });
});

describe("parseProfile", () => {
  it("makes a linear payload with its input range", () => {
    const { payload, errors } = parseProfile({ ...NO_FIELDS, slope: "0,625", intercept: "-2.5", low: "4", high: "20" });
    expect(errors).toEqual({});
    expect(payload).toEqual({ kind: "linear", slope: 0.625, intercept: -2.5, input_range: [4, 20] });
    expect(previewOf(payload, 12)).toBe(5);
  });

  it("makes a table payload, and looks up between its points", () => {
    const { payload } = parseProfile({ ...NO_FIELDS, kind: "table", points: "0.9 10\n2.1; 50\n\n2,9\t90" });
    expect(payload).toEqual({ kind: "table", points: [[0.9, 10], [2.1, 50], [2.9, 90]], extrapolation: "clamp" });
    expect(previewOf(payload, 1.5)).toBeCloseTo(30);
    expect(previewOf(payload, 0.9)).toBe(10);
    expect(previewOf(payload, 5)).toBeNull();
  });

  it("says which field is wrong", () => {
    expect(parseProfile({ ...NO_FIELDS, slope: "x" }).errors).toEqual({ slope: "number" });
    expect(parseProfile({ ...NO_FIELDS, kind: "table", points: "1 2" }).errors).toEqual({ points: "points" });
    expect(parseProfile({ ...NO_FIELDS, kind: "table", points: "2 1\n1 2" }).errors).toEqual({ points: "order" });
    expect(parseProfile({ ...NO_FIELDS, low: "5", high: "1" }).errors).toEqual({ high: "range" });
    expect(parsePoints("1 2 3\n4 5")).toBeNull();
  });
});

describe("parseParams", () => {
  it("reads names and values by line, numbers and truths as such", () => {
    expect(parseParams("speed = 1480\nvalve: 35 %\n\ndry = true\nsha = 007a")).toEqual({
      values: { speed: 1480, valve: "35 %", dry: true, sha: "007a" },
      problem: null,
    });
  });

  it("names the line that it cannot read", () => {
    expect(parseParams("a = 1\nnonsense").problem).toBe(2);
    expect(parseParams("a =").problem).toBe(1);
  });
});
