/** A run's captures, the newest first; J and K switch between them. */

import { ActionIcon, UnstyledButton } from "@mantine/core";
import type { TFunction } from "i18next";
import { lazy, Suspense, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useLedger } from "@/api/captures";
import type { Capture } from "@/api/model";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { count, seconds, span } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { StateMark, type Mark } from "@/ui/state-mark";
import { Time } from "@/ui/time";
import { useHotkey } from "@/ui/use-hotkey";
import { useNow } from "@/ui/use-now";

import styles from "./capture-list.module.css";

/** Few ask, so the page does not wait for it. */
const SealDialog = lazy(() => import("./seal-dialog").then((module) => ({ default: module.SealDialog })));

const MARKS: Record<Capture["status"], Mark> = { draft: "none", running: "ok", finished: "done", sealed: "done", failed: "bad" };

interface Props {
  readonly captures: readonly Capture[];
  readonly selected: Capture | undefined;
  readonly onSelect: (capture: Capture) => void;
}

export function CaptureList({ captures, selected, onSelect }: Props): ReactElement {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<string | null>(null);
  const about = captures.find((capture) => capture.id === asked);
  const at = captures.findIndex((capture) => capture.id === selected?.id);
  const go = (by: number): void => {
    const next = captures[Math.max(0, Math.min(captures.length - 1, at < 0 ? 0 : at + by))];
    if (next !== undefined) onSelect(next);
  };
  useHotkey("j", () => go(1), { enabled: captures.length > 0 });
  useHotkey("k", () => go(-1), { enabled: captures.length > 0 });
  return (
    <section aria-label={t("lanes.captures")}>
      <div className={styles.head}>
        <h2>
          {t("lanes.captures")} <span>{count(captures.length)}</span>
        </h2>
        {captures.length > 1 && <small>{t("capture.switch")}</small>}
      </div>
      {captures.length === 0 && <p className={styles.none}>{t("capture.noneYet")}</p>}
      <ul>
        {captures.map((capture) => (
          <li key={capture.id} className={styles.item}>
            <UnstyledButton className={styles.row} aria-current={capture.id === selected?.id || undefined} onClick={() => onSelect(capture)}>
              <CaptureRow capture={capture} />
            </UnstyledButton>
            {capture.stopped_at !== null && (
              <ActionIcon variant="subtle" className={styles.whole} aria-label={t("seal.about", { number: capture.ordinal_number })} onClick={() => setAsked(capture.id)}>
                <Icon name={capture.status === "sealed" ? "lock" : "unlock"} size={14} />
              </ActionIcon>
            )}
          </li>
        ))}
      </ul>
      {about !== undefined && (
        <Suspense>
          <SealDialog capture={about} opened onClose={() => setAsked(null)} />
        </Suspense>
      )}
    </section>
  );
}

function CaptureRow({ capture }: { readonly capture: Capture }): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const ledger = useLedger(capture).data;
  const now = useNow(() => client.nowS());
  const started = capture.started_at === null ? null : seconds(capture.started_at);
  const ended = capture.stopped_at === null ? now : seconds(capture.stopped_at);
  return (
    <>
      <StateMark mark={MARKS[capture.status]} />
      <span className={styles.what}>
        <span className={styles.title}>
          {capture.ordinal_number} · <span data-status={capture.status}>{stands(capture, t)}</span>
          {capture.backfilling && <em className={styles.backfilling}>{t("capture.backfilling")}</em>}
        </span>
        <span className={styles.sub}>
          {started !== null && <Time at={started} />}
          {capture.notes === "" ? ` · ${capture.initiated_by.name}` : ` · ${capture.notes}`}
        </span>
      </span>
      <span className={styles.figures}>
        <span>{started === null ? "–" : span(ended - started)}</span>
        <span className={styles.sub}>
          {capture.late_waiting > 0 && `${t("ledger.late", { count: capture.late_waiting, n: count(capture.late_waiting) })} · `}
          {ledger === undefined ? "" : ledger.lost > 0 ? <b className={styles.lost}>{t("ledger.lost", { count: ledger.lost, n: count(ledger.lost) })}</b> : count(ledger.stored)}
        </span>
      </span>
    </>
  );
}

/** The status as a word; while a seal is made, how far it is. */
function stands({ sealing, status }: Capture, t: TFunction): string {
  return sealing === null ? t(`status.${status}`) : t("seal.share", { percent: Math.floor(100 * sealing.share) });
}
