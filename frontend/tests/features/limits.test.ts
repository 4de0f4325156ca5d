import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { JournalEntry } from "@/api/model";
import { refusalsSince } from "@/features/sensors/refusals";
import { AGENT_RULE, parseLimit, SENSOR_RULES, type LimitRule } from "@/ui/limits";

interface Schema {
  readonly properties: Record<string, { readonly anyOf: readonly { readonly type: string; readonly minimum?: number; readonly maximum?: number }[]; readonly default?: unknown }>;
}

const document = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8")) as { components: { schemas: Record<string, Schema> } };

const ruleOf = (schema: string, name: string): Partial<LimitRule> => {
  const bounds = document.components.schemas[schema]?.properties[name]?.anyOf[0];
  return { least: bounds?.minimum ?? NaN, most: bounds?.maximum ?? NaN, whole: bounds?.type === "integer" };
};

describe("the limits of a token", () => {
  it.each(Object.entries(SENSOR_RULES))("%s are those of the API", (name, { least, most, whole, initial }) => {
    expect({ least, most, whole }).toEqual(ruleOf("LimitsUpdate", name));
    expect(document.components.schemas.Limits?.properties[name]?.default).toBe(initial);
  });

  it("of an edge agent are those of the API", () => {
    const { least, most, whole } = AGENT_RULE;
    expect({ least, most, whole }).toEqual(ruleOf("AgentLimitsUpdate", "samples_per_s"));
  });

  it("are taken up to their ends and not beyond", () => {
    const { requests_per_s, burst } = SENSOR_RULES;
    expect(["0.0001", "10000", "0,5", " 2 "].map((text) => parseLimit(text, requests_per_s))).toEqual([0.0001, 10_000, 0.5, 2]);
    expect(["0", "0.00009", "10001", "-1", "", "fast"].map((text) => parseLimit(text, requests_per_s))).toEqual([null, null, null, null, null, null]);
    expect(["1", "100000", "1.5", "0"].map((text) => parseLimit(text, burst))).toEqual([1, 100_000, null, null]);
  });

  it("are never guessed where people would read them differently", () => {
    const { samples_per_s } = SENSOR_RULES;
    expect(["10,000", "1,000,000", "10 000"].map((text) => parseLimit(text, samples_per_s))).toEqual([null, null, null]);
    expect(parseLimit("0,125", samples_per_s)).toBe(0.125);
  });
});

describe("how often a sensor was held back", () => {
  const NOW_S = Date.parse("2026-11-27T12:00:00Z") / 1000;
  const DAY_S = 86_400;
  const entry = (hoursAgo: number, count: number): JournalEntry => {
    const at = new Date((NOW_S - hoursAgo * 3600) * 1000).toISOString();
    return { id: String(hoursAgo), kind: "rate_limited", first_at: at, last_at: at, count, codes: {} };
  };

  it("is the sum of the last day, with the latest", () => {
    const found = refusalsSince([entry(1, 3), entry(23, 4), entry(25, 100)], NOW_S - DAY_S, true);
    expect(found).toEqual({ count: 7, latest: NOW_S - 3600, more: false });
    expect(refusalsSince([entry(25, 1)], NOW_S - DAY_S, true)).toEqual({ count: 0, latest: null, more: false });
  });

  it("is more than was read where the day goes on beyond the page", () => {
    expect(refusalsSince([entry(1, 3), entry(2, 4)], NOW_S - DAY_S, false).more).toBe(true);
    expect(refusalsSince([entry(1, 3), entry(25, 4)], NOW_S - DAY_S, false).more).toBe(false);
  });
});
