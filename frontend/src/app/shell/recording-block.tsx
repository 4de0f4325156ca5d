/** Whether anything records, everywhere in sight: the one filled status colour of a page. */

import { useCallback, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useRecordings } from "@/api/captures";
import { useProject } from "@/api/me";
import type { Capture } from "@/api/model";
import { useLiveStatus, useTelemetry } from "@/telemetry/use-telemetry";
import { count, seconds, timer } from "@/ui/format";
import { StateMark } from "@/ui/state-mark";
import { useNow } from "@/ui/use-now";

import styles from "./shell.module.css";

/** The address of the run that a capture belongs to. */
const runOf = (capture: Capture): string => `/p/${capture.project_id}/experiments/${capture.experiment_id}/runs/${capture.run_id}`;

const startOf = (capture: Capture): number => (capture.started_at === null ? Infinity : seconds(capture.started_at));

export function RecordingBlock(): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const live = useLiveStatus();
  const now = useNow(useCallback(() => client.nowS(), [client]), 500);
  const recordings = useRecordings(useProject().id).data ?? [];
  const [oldest] = [...recordings].sort((a, b) => startOf(a) - startOf(b));

  if (live.state === "lost") {
    const waitS = live.retryAt === null ? 0 : Math.max(0, Math.ceil(live.retryAt - now));
    return (
      <div className={styles.lost} role="status">
        <StateMark mark="warn" />
        <span>
          <b>{t("live.lost")}</b>
          <span className={styles.long}>
            , {t("live.retry", { count: waitS })} {oldest !== undefined && t("live.keepsRecording")}
          </span>
        </span>
      </div>
    );
  }
  if (oldest === undefined) {
    return (
      <span className={styles.idle}>
        <StateMark mark="none" />
        {t("recording.none")}
      </span>
    );
  }
  const several = recordings.length > 1;
  return (
    <Link className={styles.recording} to={runOf(oldest)}>
      <StateMark mark="ok" plain />
      <span className={styles.what}>
        {several ? (
          <b>{t("recording.several", { count: recordings.length })}</b>
        ) : (
          <>
            <b>{t("recording.one")}</b> ·{" "}
            {t("recording.where", { experiment: oldest.experiment_name, run: oldest.run_number, capture: count(oldest.ordinal_number) })}
          </>
        )}
      </span>
      <span className={styles.short}>{several ? count(recordings.length) : t("recording.short")}</span>
      <span className={styles.time}>{timer(now - startOf(oldest))}</span>
    </Link>
  );
}
