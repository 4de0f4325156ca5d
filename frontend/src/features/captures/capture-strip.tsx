/** The strip over the charts: timer, the button, the countdown, and what was delivered. */

import { Button } from "@mantine/core";
import type { TFunction } from "i18next";
import { useCallback, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useLedger, useStartCapture, useStopCapture } from "@/api/captures";
import { useMayEdit } from "@/api/me";
import type { Capture, Run, Sensor } from "@/api/model";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { explain } from "@/ui/explain";
import { count, seconds, span, timer } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Select } from "@/ui/select";
import { StateMark } from "@/ui/state-mark";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toasts";
import { useNow } from "@/ui/use-now";
import { useQueryState } from "@/ui/use-query-state";

import { CaptureButton } from "./capture-button";
import styles from "./capture-strip.module.css";
import { Delivered } from "./delivered";

const STOPPED_SHOWN_S = 30;
const DURATIONS_S = [10, 30, 60, 300, 600, 1800, 3600] as const;
const PRE_ROLLS_S = [5, 10, 30, 60, 300] as const;

interface Props {
  readonly run: Run;
  readonly captures: readonly Capture[];
  readonly sensors: readonly Sensor[];
  /** The stored capture that the charts show, if any. */
  readonly selected: Capture | undefined;
  readonly onOpen: (capture: Capture) => void;
}

export function CaptureStrip({ run, captures, sensors, selected, onOpen }: Props): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const mayEdit = useMayEdit();
  const now = useNow(useCallback(() => client.nowS(), [client]), 200);
  const start = useStartCapture(run.id);
  const stop = useStopCapture();
  const [stopsAfter, setStopsAfter] = useQueryState("stops");
  const [preRoll, setPreRoll] = useQueryState("preroll");
  const running = captures.find((capture) => capture.status === "running");
  const last = captures.find((capture) => capture.stopped_at !== null);
  const justStopped = last?.stopped_at != null && now - seconds(last.stopped_at) < STOPPED_SHOWN_S ? last : undefined;
  const shown = selected ?? running ?? last;
  const blocked = !mayEdit
    ? t("capture.viewer")
    : run.status !== "running"
      ? t("capture.notRunning")
      : run.sensors.some((bound) => bound.mode === "record")
        ? null
        : t("capture.nothing");

  const onStart = async (): Promise<void> => {
    await start
      .mutateAsync({ durationS: stopsAfter === null ? null : Number(stopsAfter), preRollS: Number(preRoll ?? 0) })
      .catch((error: unknown) => toast({ tone: "bad", title: t("capture.startFailed"), detail: explain(error, t).detail }));
  };
  const onStop = async (): Promise<void> => {
    if (running === undefined) return;
    await stop.mutateAsync(running).catch((error: unknown) => toast({ tone: "bad", title: t("capture.stopFailed"), detail: explain(error, t).detail }));
  };

  return (
    <section className={styles.strip} aria-label={t("capture.strip")}>
      <div className={styles.main}>
        <div className={styles.timer}>
          <div className={styles.state} role="status">
            <StateMark mark={running ? "ok" : "none"} />
            {running ? t("capture.recording", { number: running.ordinal_number }) : t("recording.none")}
          </div>
          <div className={styles.time} data-idle={running === undefined || undefined}>
            {running?.started_at != null ? timer(now - seconds(running.started_at)) : "00:00:00"}
          </div>
        </div>
        <CaptureButton recording={running !== undefined} blocked={blocked} number={(running ?? last)?.ordinal_number ?? 1} onStart={onStart} onStop={onStop} />
      </div>
      {running === undefined ? (
        <div className={styles.options}>
          {blocked !== null && <p className={styles.hint}>{blocked}</p>}
          {blocked === null && (
            <>
              <Select label={t("capture.stopsAfter")} value={stopsAfter ?? "never"} onChange={(value) => setStopsAfter(value === "never" ? null : value)} w={112}
            data={[{ value: "never", label: t("capture.byHand") }, ...DURATIONS_S.map((s) => ({ value: String(s), label: durationText(s, t) }))]} />
              <Select label={t("capture.preRoll")} value={preRoll ?? "0"} onChange={(value) => setPreRoll(value === "0" ? null : value)} w={96}
            data={[{ value: "0", label: t("capture.noPreRoll") }, ...PRE_ROLLS_S.map((s) => ({ value: String(s), label: durationText(s, t) }))]} />
            </>
          )}
        </div>
      ) : (
        <Countdown capture={running} now={now} />
      )}
      {shown === undefined ? (
        <div className={styles.delivered}>
          <div>
            <div className={styles.label}>{t("summary.delivered")}</div>
            <p className={styles.hint}>{t("capture.none")}</p>
          </div>
        </div>
      ) : justStopped !== undefined && running === undefined && selected === undefined ? (
        <Stopped capture={justStopped} onOpen={() => onOpen(justStopped)} />
      ) : (
        <Delivered capture={shown} sensors={sensors} />
      )}
    </section>
  );
}

function durationText(s: number, t: TFunction): string {
  if (s < 60) return t("duration.s", { n: s });
  return s < 3600 ? t("duration.min", { n: s / 60 }) : t("duration.h", { n: s / 3600 });
}

function Countdown({ capture, now }: { readonly capture: Capture; readonly now: number }): ReactElement {
  const { t } = useTranslation();
  const started = capture.started_at === null ? now : seconds(capture.started_at);
  const who = (
    <>
      {capture.initiated_by.name}, {t(`role.${capture.initiated_by.role}`)} · <Time at={started} />
    </>
  );
  if (capture.auto_stop_at === null) {
    return (
      <div className={styles.countdown}>
        <div className={styles.label}>{t("capture.autoStop")}</div>
        <div className={styles.left}>{t("capture.byHand")}</div>
        <div className={styles.who}>{who}</div>
      </div>
    );
  }
  const end = seconds(capture.auto_stop_at);
  const share = Math.max(0, Math.min(1, (now - started) / (end - started)));
  return (
    <div className={styles.countdown}>
      <div className={styles.label}>{t("capture.autoStopHead")}</div>
      <div className={styles.left}>
        <b>{span(Math.ceil(Math.max(0, end - now)))}</b> {t("capture.of", { time: span(end - started) })}
      </div>
      <div className={styles.progress}>
        <i style={{ width: `${100 * share}%` }} />
      </div>
      <div className={styles.who}>{who}</div>
    </div>
  );
}

function Stopped({ capture, onOpen }: { readonly capture: Capture; readonly onOpen: () => void }): ReactElement {
  const { t } = useTranslation();
  const ledger = useLedger(capture).data;
  const length = capture.started_at !== null && capture.stopped_at !== null ? seconds(capture.stopped_at) - seconds(capture.started_at) : 0;
  return (
    <div className={styles.stopped} role="status">
      <span className={styles.tick}>
        <Icon name="check" />
      </span>
      <p>
        <b>{t("capture.finished", { number: capture.ordinal_number })}</b>, {timer(length)}.{" "}
        {ledger !== undefined &&
          `${ledger.sent == null ? `${count(ledger.stored)} ${t("unit.samples", { count: ledger.stored })}` : t("ledger.of", { stored: count(ledger.stored), sent: count(ledger.sent) })}, ${t("ledger.late", { count: ledger.late, n: count(ledger.late) })}, ${t("ledger.lost", { count: ledger.lost, n: count(ledger.lost) })}. `}
        <Button variant="subtle" className={styles.open} onClick={onOpen}>
          {t("capture.open")}
        </Button>
      </p>
    </div>
  );
}
