import { describe, expect, it } from "vitest";

import { parseParams } from "@/features/runs/params";

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
