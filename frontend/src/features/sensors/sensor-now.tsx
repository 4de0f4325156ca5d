/** How a sensor is doing at this moment, in a line: whether it is heard, its value, and how old or how late that is. */

import { useCallback, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useReading, useTelemetry, useWatch } from "@/telemetry/use-telemetry";
import { measured, rate, span } from "@/ui/format";
import { StateMark } from "@/ui/state-mark";
import { useNow } from "@/ui/use-now";

import { Delay } from "./delay";
import { liveSensor, silenceS } from "./live-sensor";
import styles from "./sensor-now.module.css";

export function SensorNow({ sensor }: { readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  useWatch([{ id: sensor.id, heartbeatIntervalS: sensor.heartbeat_interval_s }]);
  const nowS = useNow(useCallback(() => client.nowS(), [client]), 1000);
  const live = liveSensor(sensor, useReading(sensor.id));
  const silentS = silenceS(sensor, live, nowS);
  return (
    <span className={styles.now} data-state={live.state}>
      <span className={styles.state}>
        <StateMark mark={live.mark} /> {t(`state.${live.state}`)}
        {silentS !== null && <>, {t("monitor.silent", { time: span(silentS) })}</>}
      </span>
      <span className={styles.value} data-quiet={silentS !== null || undefined}>
        <b>{measured(live.physical)}</b> {sensor.display_unit}
        {live.raw !== null && (
          <span className={styles.wide}>
            {" · "}
            {t("layer.raw")} <b>{measured(live.raw, 5)}</b> {sensor.input_unit}
          </span>
        )}
      </span>
      {live.state !== "unknown" && silentS === null && (
        <span className={styles.wide}>
          {t("monitor.rate", { rate: rate(live.ratePerS) })} · {t("monitor.delay")} <Delay ms={live.delayMs} />
        </span>
      )}
    </span>
  );
}
