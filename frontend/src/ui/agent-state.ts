/** How the programs of an edge agent are doing, one line for each, in the order of their trouble. */

import type { AgentInstance, EdgeAgent } from "@/api/model";
import type { Mark } from "./state-mark";

export type AgentState = AgentInstance["state"] | "never";

export const AGENT_MARKS: Record<AgentState, Mark> = {
  online: "ok",
  buffering: "warn",
  disconnected: "warn",
  full: "bad",
  offline: "bad",
  stopped: "none",
  never: "none",
};

export interface AgentLine {
  readonly agent: EdgeAgent;
  /** Null of an agent that was never heard. */
  readonly instance: AgentInstance | null;
  readonly state: AgentState;
  /** Several programs share the agent's load; then each has a number. */
  readonly numbered: boolean;
}

export function linesOf(agents: readonly EdgeAgent[]): AgentLine[] {
  return agents.flatMap((agent): AgentLine[] => {
    if (agent.instances.length === 0) return [{ agent, instance: null, state: "never", numbered: false }];
    const numbered = agent.instances.length > 1;
    return agent.instances.map((instance) => ({ agent, instance, state: instance.state, numbered }));
  });
}

/** What holds it up, in its own words; null while nothing does. */
export function troubleOf(instance: AgentInstance): string | null {
  if (instance.state === "stopped") return null;
  return instance.blocked ?? instance.broker_problem ?? instance.hub_problem ?? null;
}
