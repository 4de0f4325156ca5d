/** One sensor on the wall: state, value, curve of the last minute, rate and delay. */

import { UnstyledButton } from "@mantine/core";
import { memo, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Sensor } from "@/api/model";
import { useReading, useSpark, useTelemetry } from "@/telemetry/use-telemetry";
import { measured, rate, span } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Sparkline } from "@/ui/sparkline";
import { StateMark } from "@/ui/state-mark";
import { Tag } from "@/ui/tag";
import { Value } from "@/ui/value";

import { Delay } from "./delay";
import { liveSensor, mainValue, silenceS } from "./live-sensor";
import styles from "./monitor.module.css";

interface Props {
  readonly sensor: Sensor;
  readonly recording: boolean;
  readonly onJournal: (sensorId: string) => void;
}

export const SensorTile = memo(function SensorTile({ sensor, recording, onJournal }: Props): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const live = liveSensor(sensor, useReading(sensor.id));
  const spark = useSpark(sensor.id);
  const { value, unit } = mainValue(sensor, live);
  const offline = live.state === "offline";
  const silentS = silenceS(sensor, live, client.nowS());
  return (
    <li className={styles.tile} data-state={live.state}>
      <div className={styles.tileHead}>
        <StateMark mark={live.mark} />
        <h2 className={styles.name} title={sensor.name}>
          <Link to={`../sensors/${sensor.id}`}>{sensor.name}</Link>
        </h2>
        {live.state === "delayed" && <span className={styles.warnWord}>{t("state.delayed")}</span>}
        {offline && <span className={styles.badWord}>{t("state.offline")}</span>}
        {live.state === "unknown" && <span className={styles.noneWord}>{t("state.unknown")}</span>}
        {recording && !offline && live.state !== "delayed" && (
          <Tag tone="ok" outlined>
            {t("monitor.rec")}
          </Tag>
        )}
        <UnstyledButton className={styles.journal} onClick={() => onJournal(sensor.id)} aria-label={t("journal.openOf", { name: sensor.name })}
          title={t("journal.open")}>
          <Icon name="menu" size={14} />
        </UnstyledButton>
      </div>
      <div className={styles.values}>
        <Value size="tile" value={measured(value)} unit={unit} quiet={offline} />
        {live.raw !== null && sensor.active_profile !== null && (
          <span className={styles.raw}>
            {t("layer.raw")}
            <span>
              <b>{measured(live.raw, 5)}</b> {sensor.input_unit}
            </span>
          </span>
        )}
      </div>
      <div className={styles.curve}>
        <Sparkline spark={spark} width={240} height={52} quiet={offline} />
      </div>
      <div className={styles.foot}>
        <span>{t("monitor.rate", { rate: rate(live.ratePerS) })}</span>
        {silentS !== null ? (
          <strong className={offline ? styles.badWord : styles.warnWord}>{t("monitor.silent", { time: span(silentS) })}</strong>
        ) : (
          <span>
            {t("monitor.delay")}{" "}
            <b>
              <Delay ms={live.delayMs} />
            </b>
          </span>
        )}
      </div>
    </li>
  );
});
