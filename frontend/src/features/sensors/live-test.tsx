/** The right half of a new sensor: its first values as they come, and five checks. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useReading, useSpark, useTelemetry, useWatch } from "@/telemetry/use-telemetry";
import { delay, fixed, measured, rate } from "@/ui/format";
import { Icon } from "@/ui/icons";
import type { ProfileKind } from "@/ui/profile-fields";
import { Sparkline } from "@/ui/sparkline";
import { StateMark } from "@/ui/state-mark";
import { useNow } from "@/ui/use-now";
import { Value } from "@/ui/value";

import { LATE_MS } from "./live-sensor";
import styles from "./new-sensor.module.css";

const OUT_OF_RANGE = 1;
const FAILED = 2;

interface Check {
  readonly key: "token" | "range" | "converted" | "clock" | "rate";
  readonly good: boolean;
  readonly note: string;
}

export function LiveTest({ sensor }: { readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const now = useNow(() => client.nowS());
  useWatch([{ id: sensor.id, heartbeatIntervalS: sensor.heartbeat_interval_s }]);
  const reading = useReading(sensor.id);
  const spark = useSpark(sensor.id);
  if (reading === undefined) {
    return (
      <div>
        <p className={styles.receiving} role="status">
          <StateMark mark="none" /> {t("test.waiting")}
        </p>
        <p className={styles.waiting}>{t("test.hint")}</p>
      </div>
    );
  }
  const converted = sensor.active_profile !== null;
  const late = reading.delayMs === null ? null : delay(reading.delayMs);
  const checks: Check[] = [
    { key: "token", good: true, note: "" },
    { key: "range", good: reading.status !== OUT_OF_RANGE, note: reading.raw === null ? "" : `${measured(reading.raw, 5)} ${sensor.input_unit}` },
    { key: "converted", good: reading.status !== FAILED, note: converted ? `${t(`profile.${(sensor.active_profile?.kind ?? "none") as ProfileKind}`)}, v${sensor.active_profile?.version ?? 1}` : t("profile.none") },
    { key: "clock", good: reading.delayMs === null || Math.abs(reading.delayMs) < LATE_MS, note: late === null ? "–" : t("test.behind", { time: `${late.value} ${late.unit}` }) },
    { key: "rate", good: true, note: t("monitor.rate", { rate: rate(reading.ratePerS) }) },
  ];
  return (
    <div>
      <div className={styles.liveHead}>
        <p className={styles.receiving} role="status">
          <StateMark mark="ok" /> {t("test.receiving")}
        </p>
        <span className={styles.ago}>{t("test.ago", { time: fixed(Math.max(0, now - reading.t), 0) })}</span>
      </div>
      <Value size="test" value={measured(converted ? reading.physical : reading.raw)} unit={converted ? sensor.display_unit : sensor.input_unit} />
      {converted && (
        <p className={styles.rawLine}>
          {t("layer.raw")} <b>{measured(reading.raw, 5)}</b> {sensor.input_unit}, {t("test.by", { version: sensor.active_profile?.version ?? 1 })}
        </p>
      )}
      <div className={styles.spark}>
        <Sparkline spark={spark} width={520} height={88} />
      </div>
      <ul className={styles.checks}>
        {checks.map(({ key, good, note }) => (
          <li key={key} data-good={good || undefined}>
            <Icon name={good ? "check" : "warn"} size={14} />
            <span>{t(`check.${key}`)}</span>
            <small>{note}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
