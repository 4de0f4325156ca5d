/** The tokens with which sensors and edge agents send: seen and replaced by owners, with a code. */

import { Button } from "@mantine/core";
import { useState, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useAgents, type Device } from "@/api/device-tokens";
import { useMe, useProject } from "@/api/me";
import { useSensors } from "@/api/sensors";
import { explain } from "@/ui/explain";
import { count } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Loading, ProblemNote } from "@/ui/list-states";
import list from "@/ui/list-table.module.css";
import { StateMark } from "@/ui/state-mark";

import { DeviceTokenDialog, type Asked } from "./device-token-dialog";
import styles from "./settings.module.css";

export function DevicesTab(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const me = useMe().data;
  const sensors = useSensors(project.id, false);
  const agents = useAgents(project.id);
  const [asked, setAsked] = useState<Asked | null>(null);
  const owner = project.role === "owner";
  const ready = owner && me?.mfa === true;
  return (
    <>
      {!owner && (
        <p className={styles.notice}>
          <Icon name="lock" /> {t("devices.ownersOnly")}
        </p>
      )}
      {owner && me?.mfa === false && (
        <p className={styles.notice} role="status">
          <StateMark mark="warn" /> {t("devices.needsFactor")} <Link to="/account?tab=security">{t("mfa.setUp")}</Link>
        </p>
      )}
      <Devices title={t("summary.sensors")} none={t("bind.none")} problem={t("monitor.problem")} query={sensors}
        row={(sensor) => (
          <Row key={sensor.id} device={{ kind: "sensor", id: sensor.id, name: sensor.name }} what={t(`type.${sensor.type}`)} {...(ready ? { onAsk: setAsked } : {})} />
        )} />
      <Devices title={t("devices.agents")} none={t("devices.noAgents")} problem={t("devices.agentsProblem")} query={agents}
        row={(agent) => (
          <Row key={agent.id} device={{ kind: "agent", id: agent.id, name: agent.name }} what={agent.default ? t("devices.default") : ""} {...(ready ? { onAsk: setAsked } : {})} />
        )} />
      <DeviceTokenDialog asked={asked} onClose={() => setAsked(null)} />
    </>
  );
}

interface DevicesProps<T> {
  readonly title: string;
  readonly none: string;
  readonly problem: string;
  readonly query: { readonly data: readonly T[] | undefined; readonly isPending: boolean; readonly error: Error | null; readonly refetch: () => unknown };
  readonly row: (item: T) => ReactNode;
}

function Devices<T>({ title, none, problem, query, row }: DevicesProps<T>): ReactElement {
  const { t } = useTranslation();
  return (
    <section aria-label={title}>
      <div className={list.head}>
        <h2>
          {title} {query.data !== undefined && query.data.length > 0 && <span>{count(query.data.length)}</span>}
        </h2>
      </div>
      {query.isPending && <Loading />}
      {query.data === undefined && query.error !== null && <ProblemNote title={problem} problem={explain(query.error, t)} onRetry={() => void query.refetch()} />}
      {query.data?.length === 0 && <p className={list.none}>{none}</p>}
      {query.data !== undefined && query.data.length > 0 && (
        <div className={list.wrap}>
          <table className={list.table}>
            <thead>
              <tr>
                <th scope="col" className={styles.device}>{t("sensor.name")}</th>
                <th scope="col" className={list.optional}>{t("devices.what")}</th>
                <th scope="col" className={list.right}>{t("sensor.token")}</th>
              </tr>
            </thead>
            <tbody>{query.data.map(row)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface RowProps {
  readonly device: Device;
  readonly what: string;
  /** Absent where one may not see or replace the token. */
  readonly onAsk?: (asked: Asked) => void;
}

function Row({ device, what, onAsk }: RowProps): ReactElement {
  const { t } = useTranslation();
  return (
    <tr>
      <th scope="row">
        {device.name}
        <span className={list.sub}>{what}</span>
      </th>
      <td className={`${list.optional ?? ""} ${list.quiet ?? ""}`}>{what}</td>
      <td className={list.right}>
        {onAsk === undefined ? (
          <span className={list.quiet}>••••</span>
        ) : (
          <>
            {device.kind === "sensor" && (
              <Button variant="subtle" size="compact-xs" aria-label={t("devices.viewNamed", { name: device.name })} onClick={() => onAsk({ device, action: "view" })}>
                {t("devices.view")}
              </Button>
            )}
            <Button variant="subtle" size="compact-xs" aria-label={t("devices.replaceNamed", { name: device.name })} onClick={() => onAsk({ device, action: "replace" })}>
              {t("devices.replace")}
            </Button>
          </>
        )}
      </td>
    </tr>
  );
}
