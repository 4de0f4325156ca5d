// @vitest-environment jsdom
import { describe, expect, it } from "vitest";

import type { Profile } from "@/api/profiles";
import { extent } from "@/charts/xy-plot";
import { grid, rangeOf } from "@/features/conversion/curves";
import { publication } from "@/features/conversion/publish-dialog";
import { stretches } from "@/features/conversion/timeline";

const DAY_S = 86_400;
const BEGIN_S = Date.parse("2026-11-01T00:00:00Z") / 1000;
const at = (days: number): string => new Date((BEGIN_S + days * DAY_S) * 1000).toISOString();

function version(number: number, status: Profile["status"], from: string | null, to: string | null): Profile {
  return {
    id: String(number), sensor_id: "s", version: number, kind: "linear", status, valid_from: from, valid_to: to, created_at: at(0), created_by: null,
    published_at: null, published_by: null, input_unit: "V", display_unit: "°C",
  };
}

describe("stretches", () => {
  const versions = [
    version(5, "draft", null, null),
    version(4, "scheduled", at(22), null),
    version(3, "deprecated", at(15), at(15)),
    version(2, "active", at(10), at(22)),
    version(1, "deprecated", null, at(10)),
  ];

  it("lie one behind the other, without drafts and what was withdrawn", () => {
    const { all, now } = stretches(versions, BEGIN_S + 20 * DAY_S);
    expect(all.map(({ profile }) => profile.version)).toEqual([1, 2, 4]);
    expect(all[0]?.from).toBe(0);
    expect(all.at(-1)?.to).toBe(1);
    for (const [i, each] of all.entries()) if (i > 0) expect(each.from).toBeCloseTo(all[i - 1]?.to ?? -1);
    expect(now).toBeGreaterThan(all[1]?.from ?? 1);
    expect(now).toBeLessThan(all[2]?.from ?? 0);
  });

  it("are wide enough to be read", () => {
    const short = [version(2, "active", at(20), null), version(1, "deprecated", null, at(0.001))];
    const { all } = stretches(short, BEGIN_S + 20 * DAY_S);
    for (const { from, to } of all) expect(to - from).toBeGreaterThan(0.05);
  });

  it("leave now where it is within its version", () => {
    const { all, now } = stretches([version(2, "active", at(19.999), null), version(1, "deprecated", null, at(19.999))], BEGIN_S + 20 * DAY_S);
    expect(now).toBeGreaterThanOrEqual(all[1]?.from ?? 1);
    expect(stretches([version(1, "active", null, null)], BEGIN_S).now).toBeGreaterThan(0.8);
  });

  it("are none without a version", () => {
    expect(stretches([], BEGIN_S).all).toEqual([]);
  });
});

describe("curves", () => {
  it("cover ranges, points, pairs and the newest value", () => {
    expect(rangeOf([], [])).toEqual([0, 10]);
    expect(rangeOf([{ kind: "linear", slope: 1, intercept: 0, input_range: [4, 20] }], [])).toEqual([3.2, 20.8]);
    expect(rangeOf([{ kind: "table", points: [[0, 0], [100, 1]] }, null], [-100])).toEqual([-110, 110]);
    expect(rangeOf([], [5])).toEqual([0, 10]);
    const raw = grid([0, 1]);
    expect([raw[0], raw.at(-1), new Set(raw).size]).toEqual([0, 1, raw.length]);
  });

  it("have an axis even of one value", () => {
    expect(extent([], 0.1)).toEqual([0, 1]);
    expect(extent([5], 0.1)).toEqual([2.5, 7.5]);
    expect(extent([0, 10], 0.1)).toEqual([-1, 11]);
  });
});

describe("publication", () => {
  it("says from when on, or how far back", () => {
    expect(publication("now", "2026-11-23T08:00", "30")).toEqual({ mode: "prospective" });
    expect(publication("later", "2026-11-23T08:00:00Z", "30")).toEqual({ mode: "prospective", valid_from: "2026-11-23T08:00:00.000Z" });
    expect(publication("backfill", "", "7")).toEqual({ mode: "backfill", days: 7 });
  });
});
