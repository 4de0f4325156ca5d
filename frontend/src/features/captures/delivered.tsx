/** What a capture holds of what was sent: in all, and for each sensor. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useLedger } from "@/api/captures";
import type { Capture, Sensor } from "@/api/model";
import { explain } from "@/ui/explain";
import { count } from "@/ui/format";
import { Icon } from "@/ui/icons";

import styles from "./capture-strip.module.css";

interface Props {
  readonly capture: Capture;
  readonly sensors: readonly Sensor[];
}

const MOST = 4;

export function Delivered({ capture, sensors }: Props): ReactElement {
  const { t } = useTranslation();
  const ledger = useLedger(capture);
  const counts = ledger.data;
  if (counts === undefined) {
    return (
      <div className={styles.delivered}>
        <div className={styles.label}>{t("summary.captureDelivered", { number: capture.ordinal_number })}</div>
        <p className={styles.hint}>{ledger.error === null ? " " : explain(ledger.error, t).detail}</p>
      </div>
    );
  }
  const nameOf = (id: string): string => sensors.find((sensor) => sensor.id === id)?.name ?? id.slice(0, 8);
  return (
    <div className={styles.delivered}>
      <div>
        <div className={styles.label}>{t("summary.captureDelivered", { number: capture.ordinal_number })}</div>
        <div className={styles.total}>
          <b>{count(counts.stored)}</b>{" "}
          {counts.sent == null ? t("unit.samples", { count: counts.stored }) : t("ledger.ofSamples", { sent: count(counts.sent) })}
        </div>
        <div className={styles.counts}>
          {t("ledger.late", { count: counts.late, n: count(counts.late) })} ·{" "}
          <span data-bad={counts.lost > 0 || undefined}>{t("ledger.lost", { count: counts.lost, n: count(counts.lost) })}</span>
          <span className={styles.extra}> · {t("ledger.duplicates", { count: counts.duplicates, n: count(counts.duplicates) })}</span>
          {(counts.gaps ?? 0) > 0 && <span data-bad> · {t("ledger.gaps", { count: counts.gaps ?? 0, n: count(counts.gaps ?? 0) })}</span>}
        </div>
      </div>
      <ul className={styles.perSensor}>
        {counts.sensors.slice(0, counts.sensors.length > MOST ? MOST - 1 : MOST).map((each) => {
          const whole = each.lost === 0 && (each.gaps ?? 0) === 0 && each.rejected === 0;
          return (
            <li key={each.sensor_id}>
              <span className={styles.sensorName} title={nameOf(each.sensor_id)}>
                {nameOf(each.sensor_id)}
              </span>
              {each.late > 0 && <span className={styles.lateOne}>{t("ledger.late", { count: each.late, n: count(each.late) })}</span>}
              <b>{count(each.stored)}</b>
              <span className={whole ? styles.whole : styles.torn}>
                <Icon name={whole ? "check" : "warn"} size={12} />
              </span>
            </li>
          );
        })}
        {counts.sensors.length > MOST && <li className={styles.more}>{t("ledger.more", { count: counts.sensors.length - MOST + 1 })}</li>}
      </ul>
    </div>
  );
}
