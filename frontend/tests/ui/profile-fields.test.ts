import { describe, expect, it } from "vitest";

import type { Payload } from "@/api/profiles";
import { fieldsOf, NO_FIELDS, parseNumber, parsePoints, parseProfile, previewOf } from "@/ui/profile-fields";

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
    expect(previewOf(payload, 5)).toBe(90);
    expect(previewOf(payload, 0)).toBe(10);
  });

  it("makes a formula with its constants", () => {
    const fields = { ...NO_FIELDS, kind: "custom" as const, expression: " a*x + b ", constants: "a = 2\n\nb=\u22120,5" };
    expect(parseProfile(fields).payload).toEqual({ kind: "custom", expression: "a*x + b", constants: { a: 2, b: -0.5 } });
    expect(parseProfile({ ...fields, expression: "" }).errors).toEqual({ expression: "expression" });
    for (const constants of ["a", "a = x", "a = 1\na = 2", "1a = 2", "a = 1 = 2"]) {
      expect(parseProfile({ ...fields, constants }).errors, constants).toEqual({ constants: "constants" });
    }
  });

  it("says which field is wrong", () => {
    expect(parseProfile({ ...NO_FIELDS, slope: "x" }).errors).toEqual({ slope: "number" });
    expect(parseProfile({ ...NO_FIELDS, kind: "table", points: "1 2" }).errors).toEqual({ points: "points" });
    expect(parseProfile({ ...NO_FIELDS, kind: "table", points: "2 1\n1 2" }).errors).toEqual({ points: "order" });
    expect(parseProfile({ ...NO_FIELDS, low: "5", high: "1" }).errors).toEqual({ high: "range" });
    expect(parsePoints("1 2 3\n4 5")).toBeNull();
  });
});

describe("previewOf", () => {
  const table = (extrapolation: "clamp" | "linear" | "reject"): Payload => ({ kind: "table", points: [[0, 0], [1, 10], [2, 30]], extrapolation });

  it("goes beyond a table as it says", () => {
    expect([-2, 5].map((raw) => previewOf(table("linear"), raw))).toEqual([-20, 90]);
    expect([-2, 5].map((raw) => previewOf(table("reject"), raw))).toEqual([null, null]);
    expect([0, 1, 2].map((raw) => previewOf(table("reject"), raw))).toEqual([0, 10, 30]);
  });

  it("leaves formulas to the hub", () => {
    expect(previewOf({ kind: "custom", expression: "x" }, 1)).toBeNull();
  });
});

describe("fieldsOf", () => {
  it("gives back the payload that it came from", () => {
    const payloads: Payload[] = [
      { kind: "linear", slope: 0.625, intercept: -2.5, input_range: [3.8, 20.5] },
      { kind: "table", points: [[0.9, 10], [2.1, 50]], extrapolation: "reject" },
      { kind: "custom", expression: "a*x", constants: { a: 1e-7 } },
    ];
    for (const payload of payloads) expect(parseProfile(fieldsOf(payload)).payload).toEqual(payload);
  });
});
