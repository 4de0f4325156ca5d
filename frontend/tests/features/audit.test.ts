import { describe, expect, it } from "vitest";

import { nameThen, shown, told } from "@/features/audit/changes";
import { filterKey, filterOf } from "@/features/audit/filter";
import { spelled } from "@/features/audit/kinds";

describe("what a fact tells", () => {
  it("an update as it was and as it is, field by field", () => {
    const { changes, others } = told({ before: { name: "Inlet" }, after: { name: "Outlet", notes: "new" }, run_id: "7" });
    expect(changes).toEqual([
      { name: "name", before: "Inlet", after: "Outlet" },
      { name: "notes", before: undefined, after: "new" },
    ]);
    expect(others).toEqual([["run_id", "7"]]);
  });

  it("a move as a change of the status, a decision as a change of its field", () => {
    expect(told({ from: "draft", to: "running" }).changes).toEqual([{ name: "status", before: "draft", after: "running" }]);
    const decided = told({ raw_policy: "open", raw_policy_before: "physical-only" });
    expect(decided).toEqual({ changes: [{ name: "raw_policy", before: "physical-only", after: "open" }], others: [] });
  });

  it("leaves alone what only looks like a change", () => {
    expect(told({ role_before: "viewer", from: "2026-11-01T00:00:00Z" })).toEqual({
      changes: [],
      others: [["role_before", "viewer"], ["from", "2026-11-01T00:00:00Z"]],
    });
  });

  it("values in one line, absent ones as a dash", () => {
    expect([undefined, null, "", 3, false, "open", ["a", 1]].map(shown)).toEqual(["–", "–", "–", "3", "false", "open", '["a",1]']);
    expect(shown({ bytes: 20_000, sha256: "0123456789abcdef" })).toBe("20000 B, sha256 0123456789ab…");
  });

  it("the name that its subject bore", () => {
    expect(nameThen({ name: "Inlet" })).toBe("Inlet");
    expect(nameThen({ before: { name: "Inlet" }, after: { name: "Outlet" } })).toBe("Outlet");
    expect(nameThen({ after: { tags: ["a"] } })).toBeNull();
  });

  it("a kind that no table knows", () => {
    expect(spelled("backfill.started_again")).toBe("Backfill: started again");
  });
});

describe("the filter in the address", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");
  const of = (search: string) => filterOf(new URLSearchParams(search), now);

  it("asks for a week unless told otherwise", () => {
    expect(of("")).toEqual({ from: "2026-11-20T12:00:00.000Z" });
    expect(of("period=day")).toEqual({ from: "2026-11-26T12:00:00.000Z" });
    expect(of("period=all&kind=capture&user=u&subject=s&q=x")).toEqual({ kind: "capture", user_id: "u", subject_id: "s", q: "x" });
    expect(of("period=nonsense")).toEqual(of(""));
  });

  it("takes days whole, by the local clock", () => {
    const { from, to } = of("period=days&from=2026-03-28&to=2026-03-29");
    expect(from).toBe(new Date(2026, 2, 28).toISOString());
    expect(to).toBe(new Date(2026, 2, 30).toISOString());
    expect(of("period=days&from=soon&to=")).toEqual({});
  });

  it("is the same list as long as the same is asked for", () => {
    const key = (search: string): string => filterKey(new URLSearchParams(search));
    expect(key("kind=run&open=5")).toBe(key("open=6&kind=run"));
    expect(key("kind=run")).not.toBe(key("kind=run&period=day"));
  });
});
