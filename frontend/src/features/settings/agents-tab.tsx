/** The project's edge agents: who is alive, what waits, what was dropped, and what each may send. */

import { Button } from "@mantine/core";
import { useState, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useAgents, useDeleteAgent } from "@/api/agents";
import { useProject } from "@/api/me";
import type { EdgeAgent } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { count, delay, exact, fixed, seconds } from "@/ui/format";
import { ListTable } from "@/ui/list-table";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
import { StateMark } from "@/ui/state-mark";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { usePhone } from "@/ui/use-phone";

import { EditAgent } from "./agent-dialog";
import { AGENT_MARKS, linesOf, troubleOf, type AgentLine } from "@/ui/agent-state";
import styles from "./settings.module.css";

/** Of the spool, in percent. */
const WORTH_TELLING = 0.1;

export function AgentsTab(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const agents = useAgents(project.id, true);
  const remove = useDeleteAgent(project.id);
  const [editing, setEditing] = useState<EdgeAgent | null>(null);
  const [removing, setRemoving] = useState<EdgeAgent | null>(null);
  const actions = ({ agent, instance }: AgentLine): ReactNode =>
    isFirst(agent, instance) && (
      <>
        <Button variant="subtle" size="compact-xs" aria-label={t("agents.editNamed", { name: agent.name })} onClick={() => setEditing(agent)}>
          {t("edit")}
        </Button>
        <Button variant="subtle" size="compact-xs" aria-label={t("agents.deleteNamed", { name: agent.name })} onClick={() => setRemoving(agent)}>
          {t("agents.delete")}
        </Button>
      </>
    );
  return (
    <>
      <p className={styles.notice}>{t("agents.about")}</p>
      <Loaded query={agents} problem={t("agents.problem")}>
        {(all) => (all.length === 0 ? <p className={list.none}>{t("agents.none")}</p> : <Agents agents={all} {...(project.role === "owner" ? { actions } : {})} />)}
      </Loaded>
      <EditAgent agent={editing} onClose={() => setEditing(null)} />
      <Confirm about={removing} title={t("agents.deleteNamed", { name: removing?.name ?? "" })} text={t("agents.deleteText")} action={t("agents.delete")}
        change={remove} onClose={() => setRemoving(null)} />
    </>
  );
}

const isFirst = (agent: EdgeAgent, instance: AgentLine["instance"]): boolean => instance === null || instance === agent.instances[0];

interface AgentsProps {
  readonly agents: readonly EdgeAgent[];
  /** Absent where one decides nothing about them. */
  readonly actions?: (line: AgentLine) => ReactNode;
}

function Agents({ agents, actions }: AgentsProps): ReactElement {
  const { t } = useTranslation();
  const phone = usePhone();
  return (
    <ListTable roomy rows={linesOf(agents)} keyOf={({ agent, instance }) => `${agent.id} ${instance?.instance ?? ""}`}
      columns={[
        { head: t("agents.name"), cell: (line) => <Name line={line} below={phone ? actions?.(line) : undefined} /> },
        { head: t("agents.state"), cell: (line) => <State line={line} /> },
        { head: t("agents.told"), optional: true, cell: ({ instance }) => (instance === null ? t("agents.never") : <Time at={seconds(instance.told_at)} form="stamp" />) },
        { head: t("agents.version"), optional: true, cell: ({ instance }) => instance?.version ?? "–" },
        { head: t("agents.waiting"), right: true, cell: (line) => <Waiting line={line} /> },
        { head: t("agents.dropped"), optional: true, right: true, cell: (line) => <Dropped line={line} /> },
        { head: t("agents.limit"), optional: true, right: true, cell: ({ agent }) => t("agents.perSecond", { rate: exact(agent.limits.samples_per_s) }) },
        ...(actions === undefined || phone ? [] : [{ head: t("sessions.action"), right: true, cell: actions }]),
      ]} />
  );
}

interface LineProps {
  readonly line: AgentLine;
}

/** On a phone what can be done stands below. */
function Name({ line: { agent, instance, numbered }, below }: LineProps & { readonly below: ReactNode }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <span className={`${list.name ?? ""} ${styles.agent ?? ""}`}>
        {agent.name}
        {numbered && <span className={list.quiet}>{t("agents.instance", { number: instance?.instance ?? 0 })}</span>}
        {agent.default && <Tag tone="none">{t("agents.default")}</Tag>}
      </span>
      {Boolean(below) && <span className={list.actions}>{below}</span>}
    </>
  );
}

function State({ line: { instance, state } }: LineProps): ReactElement {
  const { t } = useTranslation();
  const trouble = instance === null ? t("agentState.neverText") : troubleOf(instance);
  return (
    <>
      <span className={list.name}>
        <StateMark mark={AGENT_MARKS[state]} /> {t(`agentState.${state}`)}
      </span>
      {trouble !== null && (
        <span className={styles.trouble} title={trouble}>
          {trouble}
        </span>
      )}
      {instance !== null && (
        <span className={list.sub}>
          <Time at={seconds(instance.told_at)} form="stamp" />
        </span>
      )}
    </>
  );
}

function Waiting({ line: { instance } }: LineProps): ReactElement {
  const { t } = useTranslation();
  if (instance === null) return <>–</>;
  const { waiting = 0, waiting_bytes = 0, spool_bytes = 0, oldest_age_s = 0 } = instance;
  if (waiting === 0) return <>0</>;
  const oldest = delay(oldest_age_s * 1000);
  const share = spool_bytes === 0 ? 0 : (100 * waiting_bytes) / spool_bytes;
  return (
    <>
      <b className={styles.warn}>{count(waiting)}</b>
      <span className={styles.below}>
        {t("agents.oldest", { time: `${oldest.value} ${oldest.unit}` })}
        {share >= WORTH_TELLING && ` · ${t("agents.fill", { share: fixed(share, share < 10 ? 1 : 0) })}`}
      </span>
    </>
  );
}

function Dropped({ line: { instance } }: LineProps): ReactElement {
  const { t } = useTranslation();
  if (instance === null) return <>–</>;
  const { dropped = 0, unreported = 0, refused = 0 } = instance;
  const beside = [
    unreported > 0 ? t("agents.unreported", { n: count(unreported) }) : null,
    refused > 0 ? t("agents.refused", { count: refused, n: count(refused) }) : null,
  ].filter((each) => each !== null);
  return (
    <>
      {dropped > 0 ? <b className={styles.bad}>{count(dropped)}</b> : "0"}
      {beside.length > 0 && <span className={styles.below}>{beside.join(" · ")}</span>}
    </>
  );
}
