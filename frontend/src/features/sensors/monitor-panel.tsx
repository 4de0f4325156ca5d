/** The right panel: what needs attention, who is active, the slowest first, and the edge agents. */

import { UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useRound, useSpark, useTelemetry } from "@/telemetry/use-telemetry";
import { clock, count, delay } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Sparkline } from "@/ui/sparkline";
import { StateMark } from "@/ui/state-mark";

import { AgentsSection } from "./agents-section";
import { Beats } from "./beats";
import { Delay } from "./delay";
import { LATE_MS, liveSensor, needsAttention, type LiveSensor } from "./live-sensor";
import styles from "./monitor-panel.module.css";

interface Props {
  readonly projectId: string;
  readonly sensors: readonly Sensor[];
  readonly opened: boolean;
  readonly onToggle: () => void;
  readonly onJournal: (sensorId: string) => void;
}

interface Shown {
  readonly sensor: Sensor;
  readonly live: LiveSensor;
}

export function MonitorPanel({ projectId, sensors, opened, onToggle, onJournal }: Props): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  useRound();
  const shown = sensors.map((sensor) => ({ sensor, live: liveSensor(sensor, client.reading(sensor.id)) }));
  const trouble = shown
    .filter(({ live }) => needsAttention(live.state))
    .sort((a, b) => Number(b.live.state === "offline") - Number(a.live.state === "offline"));
  const active = shown
    .filter(({ live }) => live.state === "online" || live.state === "delayed")
    .sort((a, b) => (b.live.delayMs ?? 0) - (a.live.delayMs ?? 0) || a.sensor.name.localeCompare(b.sensor.name));
  if (!opened) {
    return (
      <aside className={styles.closed} aria-label={t("panel.label")}>
        <UnstyledButton className={styles.fold} onClick={onToggle} aria-label={t("panel.open")} aria-expanded={false}>
          <span style={{ transform: "rotate(180deg)", display: "flex" }}>
            <Icon name="right" />
          </span>
          {trouble.length > 0 && <b className={styles.badge}>{count(trouble.length)}</b>}
        </UnstyledButton>
      </aside>
    );
  }
  return (
    <aside className={styles.panel} aria-label={t("panel.label")}>
      <section>
        <div className={styles.head}>
          <h2>
            {t("panel.attention")} <span>{count(trouble.length)}</span>
          </h2>
          <UnstyledButton className={styles.fold} onClick={onToggle} aria-label={t("panel.close")} aria-expanded>
            <Icon name="right" />
          </UnstyledButton>
        </div>
        {trouble.length === 0 && <p className={styles.quiet}>{t("panel.quiet")}</p>}
        <ul className={styles.troubles}>
          {trouble.map((each) => (
            <Trouble key={each.sensor.id} {...each} onJournal={onJournal} />
          ))}
        </ul>
      </section>
      <section className={styles.section}>
        <div className={styles.head}>
          <h2>
            {t("panel.active")} <span>{count(active.length)}</span>
          </h2>
          <small>{t("panel.byDelay")}</small>
        </div>
        {active.length > 0 && (
          <table className={styles.active}>
            <thead>
              <tr>
                <th scope="col">{t("monitor.sensor")}</th>
                <th scope="col">{t("panel.minute")}</th>
                <th scope="col">{t("panel.beats")}</th>
                <th scope="col">{t("monitor.delayHead")}</th>
              </tr>
            </thead>
            <tbody>
              {active.map((each) => (
                <ActiveRow key={each.sensor.id} {...each} />
              ))}
            </tbody>
          </table>
        )}
      </section>
      <AgentsSection projectId={projectId} />
    </aside>
  );
}

function Trouble({ sensor, live, onJournal }: Shown & Pick<Props, "onJournal">): ReactElement {
  const { t } = useTranslation();
  const late = live.delayMs !== null && live.delayMs > LATE_MS && live.state === "delayed" ? delay(live.delayMs) : null;
  const since = live.t === null ? t("panel.never") : t("panel.since", { time: clock(live.t) });
  return (
    <li>
      <StateMark mark={live.mark} />
      <div>
        <strong>
          {live.state === "offline"
            ? t("panel.offline", { name: sensor.name })
            : late === null
              ? t("panel.delayed", { name: sensor.name })
              : t("panel.late", { name: sensor.name, time: `${late.value} ${late.unit}` })}
        </strong>
        <p>{late === null ? since : t("panel.heard", { time: live.t === null ? "–" : clock(live.t) })}</p>
        <UnstyledButton className={styles.journal} onClick={() => onJournal(sensor.id)}>
          {t("journal.open")}
        </UnstyledButton>
      </div>
    </li>
  );
}

function ActiveRow({ sensor, live }: Shown): ReactElement {
  const spark = useSpark(sensor.id);
  return (
    <tr>
      <th scope="row" title={sensor.name}>
        <span>
          <StateMark mark={live.mark} size={8} />
          <span className={styles.name}>{sensor.name}</span>
        </span>
      </th>
      <td className={styles.spark}>
        <Sparkline spark={spark} width={44} height={16} quiet />
      </td>
      <td>
        <Beats beats={live.beats} />
      </td>
      <td className={styles.delay}>
        <Delay ms={live.delayMs} />
      </td>
    </tr>
  );
}
