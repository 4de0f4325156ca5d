/** The monitor as a table. */

import { UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Sensor } from "@/api/model";
import { useReading } from "@/telemetry/use-telemetry";
import { measured, rate } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { StateMark } from "@/ui/state-mark";
import { Tag } from "@/ui/tag";
import { Value } from "@/ui/value";

import { Delay } from "./delay";
import { liveSensor, mainValue } from "./live-sensor";
import styles from "./monitor.module.css";

interface Props {
  readonly sensors: readonly Sensor[];
  readonly recording: ReadonlySet<string>;
  readonly onJournal: (sensorId: string) => void;
}

export function SensorTable({ sensors, recording, onJournal }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={styles.tableWrap}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t("monitor.sensor")}</th>
            <th scope="col">{t("sensor.type")}</th>
            <th scope="col">{t("monitor.value")}</th>
            <th scope="col">{t("layer.raw")}</th>
            <th scope="col">{t("monitor.perSecond")}</th>
            <th scope="col">{t("monitor.delayHead")}</th>
            <th scope="col">{t("journal.open")}</th>
          </tr>
        </thead>
        <tbody>
          {sensors.map((sensor) => (
            <Row key={sensor.id} sensor={sensor} recording={recording.has(sensor.id)} onJournal={onJournal} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly sensor: Sensor;
  readonly recording: boolean;
  readonly onJournal: (sensorId: string) => void;
}

function Row({ sensor, recording, onJournal }: RowProps): ReactElement {
  const { t } = useTranslation();
  const live = liveSensor(sensor, useReading(sensor.id));
  const { value, unit } = mainValue(sensor, live);
  return (
    <tr>
      <th scope="row">
        <span className={styles.rowName}>
          <StateMark mark={live.mark} />
          <Link to={`../sensors/${sensor.id}`}>{sensor.name}</Link>
          <span className={styles.vh}>{t(`state.${live.state}`)}</span>
          {recording && (
            <Tag tone="ok" outlined>
              {t("monitor.rec")}
            </Tag>
          )}
        </span>
      </th>
      <td className={styles.typeCell}>{t(`type.${sensor.type}`)}</td>
      <td>
        <Value value={measured(value)} unit={unit} quiet={live.state === "offline"} />
      </td>
      <td>{live.raw === null ? "–" : <Value value={measured(live.raw, 5)} unit={sensor.input_unit} />}</td>
      <td>{rate(live.ratePerS)}</td>
      <td>
        <Delay ms={live.delayMs} />
      </td>
      <td>
        <UnstyledButton className={styles.journal} onClick={() => onJournal(sensor.id)} aria-label={t("journal.openOf", { name: sensor.name })}>
          <Icon name="menu" size={14} />
        </UnstyledButton>
      </td>
    </tr>
  );
}
