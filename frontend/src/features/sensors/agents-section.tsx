/** The foot of the right panel: the project's edge agents, how each is doing, and how many samples wait on it. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useAgents } from "@/api/agents";
import { AGENT_MARKS, linesOf, troubleOf, type AgentLine } from "@/ui/agent-state";
import { count } from "@/ui/format";
import { StateMark } from "@/ui/state-mark";

import { LATE_MS } from "./live-sensor";
import styles from "./monitor-panel.module.css";

/** Nothing in projects without an agent, and while the agents are not known. */
export function AgentsSection({ projectId }: { readonly projectId: string }): ReactElement | null {
  const { t } = useTranslation();
  const agents = useAgents(projectId, true).data ?? [];
  if (agents.length === 0) return null;
  return (
    <section className={styles.agents}>
      <div className={styles.head}>
        <h2>
          {t("panel.agents")} <span>{count(agents.length)}</span>
        </h2>
        <small>{t("panel.waiting")}</small>
      </div>
      <ul>
        {linesOf(agents).map((line) => (
          <Agent key={`${line.agent.id} ${String(line.instance?.instance)}`} line={line} />
        ))}
      </ul>
    </section>
  );
}

function Agent({ line: { agent, instance, state, numbered } }: { readonly line: AgentLine }): ReactElement {
  const { t } = useTranslation();
  const sensors = instance?.sensors ?? null;
  const told = [t(`agentState.${state}`), sensors === null ? null : t("panel.sensors", { count: sensors, n: count(sensors) })];
  const waiting = instance?.waiting ?? 0;
  return (
    <li title={(instance === null ? t("agentState.neverText") : troubleOf(instance)) ?? undefined}>
      <StateMark mark={AGENT_MARKS[state]} size={8} />
      <Link to={`/p/${agent.project_id}/settings?tab=agents`} className={styles.name}>
        {numbered ? `${agent.name} ${String(instance?.instance)}` : agent.name}
      </Link>
      <span className={styles.told}>{told.filter((each) => each !== null).join(", ")}</span>
      {/* What came this moment waits for its batch to fill. */}
      <span className={waiting > 0 && (instance?.oldest_age_s ?? 0) * 1000 > LATE_MS ? styles.waits : ""}>{instance === null ? "–" : count(waiting)}</span>
    </li>
  );
}
