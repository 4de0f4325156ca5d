import { describe, expect, it } from "vitest";

import type { AgentInstance, EdgeAgent } from "@/api/model";
import { linesOf, troubleOf } from "@/ui/agent-state";

const instance = (number: number, state: AgentInstance["state"], more: Partial<AgentInstance> = {}): AgentInstance =>
  ({ instance: number, state, told_at: "2026-11-27T12:00:00Z", version: "1", ...more });

const agent = (id: string, ...instances: AgentInstance[]): EdgeAgent => ({
  id, project_id: "p", name: id, default: false, limits: { samples_per_s: 100_000 }, created_at: "2026-11-27T12:00:00Z", instances,
});

describe("edge agents", () => {
  it("have a line for each program, and one if none was ever heard", () => {
    const lines = linesOf([agent("rig 1", instance(0, "online")), agent("rig 2", instance(1, "online"), instance(2, "offline")), agent("rig 3")]);
    expect(lines.map((line) => [line.agent.name, line.instance?.instance ?? null, line.state, line.numbered])).toEqual([
      ["rig 1", 0, "online", false],
      ["rig 2", 1, "online", true],
      ["rig 2", 2, "offline", true],
      ["rig 3", null, "never", false],
    ]);
  });

  it("say what holds them up, the spool first, and nothing once they have stopped", () => {
    const troubled = { hub_problem: "HTTP 503", broker_problem: "refused", blocked: "spool full" };
    expect(troubleOf(instance(0, "full", troubled))).toBe("spool full");
    expect(troubleOf(instance(0, "disconnected", { ...troubled, blocked: null }))).toBe("refused");
    expect(troubleOf(instance(0, "stopped", troubled))).toBeNull();
    expect(troubleOf(instance(0, "online"))).toBeNull();
  });
});
