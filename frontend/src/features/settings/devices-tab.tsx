/** The tokens with which sensors and edge agents send: seen and replaced by owners, with a code. */

import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useAgents } from "@/api/agents";
import type { Device } from "@/api/device-tokens";
import { useMe, useProject } from "@/api/me";
import { useSensors } from "@/api/sensors";
import { count } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { ListTable } from "@/ui/list-table";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
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
      <Devices title={t("summary.sensors")} none={t("bind.none")} problem={t("monitor.problem")} query={sensors} ready={ready} onAsk={setAsked}
        read={(sensor) => ({ device: { kind: "sensor", id: sensor.id, name: sensor.name }, what: t(`type.${sensor.type}`) })} />
      <Devices title={t("devices.agents")} none={t("devices.noAgents")} problem={t("devices.agentsProblem")} query={agents} ready={ready} onAsk={setAsked}
        read={(agent) => ({ device: { kind: "agent", id: agent.id, name: agent.name }, what: agent.default ? t("devices.default") : "" })} />
      <DeviceTokenDialog asked={asked} onClose={() => setAsked(null)} />
    </>
  );
}

interface Shown {
  readonly device: Device;
  readonly what: string;
}

interface DevicesProps<T> {
  readonly title: string;
  readonly none: string;
  readonly problem: string;
  readonly query: UseQueryResult<T[]>;
  readonly read: (item: T) => Shown;
  /** Whether one may see or replace tokens. */
  readonly ready: boolean;
  readonly onAsk: (asked: Asked) => void;
}

function Devices<T>({ title, none, problem, query, read, ready, onAsk }: DevicesProps<T>): ReactElement {
  const { t } = useTranslation();
  return (
    <section aria-label={title}>
      <div className={list.head}>
        <h2>
          {title} {query.data !== undefined && query.data.length > 0 && <span>{count(query.data.length)}</span>}
        </h2>
      </div>
      <Loaded query={query} problem={problem}>
        {(items) =>
          items.length === 0 ? (
            <p className={list.none}>{none}</p>
          ) : (
            <ListTable rows={items.map(read)} keyOf={({ device }) => device.id}
              columns={[
                {
                  head: t("sensor.name"),
                  width: "32%",
                  cell: ({ device, what }) => (
                    <>
                      {device.name}
                      <span className={list.sub}>{what}</span>
                    </>
                  ),
                },
                { head: t("devices.what"), optional: true, cell: ({ what }) => <span className={list.quiet}>{what}</span> },
                { head: t("sensor.token"), right: true, cell: ({ device }) => (ready ? <TokenActions device={device} onAsk={onAsk} /> : <span className={list.quiet}>••••</span>) },
              ]} />
          )
        }
      </Loaded>
    </section>
  );
}

function TokenActions({ device, onAsk }: { readonly device: Device; readonly onAsk: (asked: Asked) => void }): ReactElement {
  const { t } = useTranslation();
  return (
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
  );
}
