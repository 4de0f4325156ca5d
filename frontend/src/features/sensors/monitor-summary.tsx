/** Four figures above the wall: alive, recording, complete, intake. */

import { useCallback, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useLedger } from "@/api/captures";
import type { Capture, SensorState } from "@/api/model";
import { useLiveLedgers } from "@/telemetry/use-ledgers";
import { useIntake, useTelemetry } from "@/telemetry/use-telemetry";
import { count, delay, rate, seconds, span, timer } from "@/ui/format";
import { useNow } from "@/ui/use-now";

import styles from "./monitor.module.css";

interface Props {
  readonly counts: Readonly<Record<SensorState, number>>;
  readonly recording: Capture | undefined;
}

export function MonitorSummary({ counts, recording }: Props): ReactElement {
  const { t } = useTranslation();
  const total = counts.online + counts.delayed + counts.offline + counts.unknown;
  const calm = counts.delayed + counts.offline + counts.unknown === 0;
  const part = (state: SensorState, color: string): ReactNode =>
    counts[state] > 0 && <span style={{ color }}>{t(`count.${state}`, { count: counts[state] })}</span>;
  return (
    <section className={styles.summary} aria-label={t("summary.label")}>
      <Figure label={t("summary.sensors")} value={count(counts.online)} unit={t("summary.ofOnline", { total: count(total) })}>
        {calm ? t("summary.calm") : <Dots>{[part("delayed", "var(--warn)"), part("offline", "var(--bad)"), part("unknown", "var(--ink-3)")]}</Dots>}
      </Figure>
      <RecordingFigure recording={recording} />
      <DeliveredFigure recording={recording} />
      <IntakeFigure />
    </section>
  );
}

function Dots({ children }: { readonly children: readonly ReactNode[] }): ReactElement {
  const parts = children.filter(Boolean);
  return (
    <>
      {parts.map((each, i) => (
        <span key={i}>
          {i > 0 && " · "}
          {each}
        </span>
      ))}
    </>
  );
}

interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly tone?: "ok" | "quiet";
  readonly children: ReactNode;
}

function Figure({ label, value, unit, tone, children }: FigureProps): ReactElement {
  return (
    <div className={styles.figure}>
      <div className={styles.figureLabel}>{label}</div>
      <div className={styles.figureValue} data-tone={tone}>
        <b>{value}</b> {unit !== undefined && <span>{unit}</span>}
      </div>
      <div className={styles.figureFoot}>{children}</div>
    </div>
  );
}

function RecordingFigure({ recording }: Pick<Props, "recording">): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const now = useNow(useCallback(() => client.nowS(), [client]), 500);
  if (recording?.started_at == null) {
    return (
      <Figure label={t("summary.recording")} value="–" tone="quiet">
        {t("recording.none")}
      </Figure>
    );
  }
  const left = recording.auto_stop_at === null ? null : Math.ceil(Math.max(0, seconds(recording.auto_stop_at) - now));
  return (
    <Figure label={t("summary.recording")} value={timer(now - seconds(recording.started_at))} tone="ok">
      {left !== null && `${t("capture.autoStopIn", { time: span(left) })} · `}
      {recording.initiated_by.name}
    </Figure>
  );
}

function DeliveredFigure({ recording }: Pick<Props, "recording">): ReactElement {
  const { t } = useTranslation();
  const ledger = useLedger(recording).data;
  useLiveLedgers(recording?.run_id);
  if (recording === undefined || ledger === undefined) {
    return (
      <Figure label={t("summary.delivered")} value="–" tone="quiet">
        {t("summary.noCapture")}
      </Figure>
    );
  }
  const unit = ledger.sent == null ? t("unit.samples", { count: ledger.stored }) : t("summary.of", { total: count(ledger.sent) });
  return (
    <Figure label={t("summary.captureDelivered", { number: recording.ordinal_number })} value={count(ledger.stored)} unit={unit}>
      {t("ledger.late", { count: ledger.late, n: count(ledger.late) })} · {t("ledger.lost", { count: ledger.lost, n: count(ledger.lost) })} ·{" "}
      {t("count.sensors", { count: recording.sensor_ids.length })}
    </Figure>
  );
}

function IntakeFigure(): ReactElement {
  const { t } = useTranslation();
  const { ratePerS, delayMeanMs, delayP99Ms } = useIntake();
  const text = (ms: number): string => {
    const { value, unit } = delay(ms);
    return `${value} ${unit}`;
  };
  return (
    <Figure label={t("summary.intake")} value={rate(ratePerS)} unit={t("unit.perSecond")}>
      {delayMeanMs === null || delayP99Ms === null
        ? t("summary.noIntake")
        : t("summary.delays", { mean: text(delayMeanMs), p99: text(delayP99Ms) })}
    </Figure>
  );
}
