/** Start and Stop of a capture: one press starts, a hold of 0.8 s stops; R asks first instead. */

import { Button, Tooltip } from "@mantine/core";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayEdit, useMe, useProject } from "@/api/me";
import { Dialog } from "@/ui/dialog";
import { StateMark } from "@/ui/state-mark";
import { useHotkey } from "@/ui/use-hotkey";

import styles from "./capture-button.module.css";

const BLOCK_MS = 200;
const HOLD_MS = 800;

interface Props {
  readonly recording: boolean;
  /** Why a capture cannot start now; null when it can. */
  readonly blocked: string | null;
  readonly number: number;
  readonly onStart: () => Promise<void>;
  readonly onStop: () => Promise<void>;
}

export function CaptureButton({ recording, blocked, number, onStart, onStop }: Props): ReactElement {
  const { t } = useTranslation();
  const me = useMe().data;
  const project = useProject();
  const mayEdit = useMayEdit();
  const [starting, setStarting] = useState(false);
  const [stopping, setStopping] = useState(false);
  const [holding, setHolding] = useState(false);
  const [asking, setAsking] = useState(false);
  const holdTimer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(holdTimer.current), []);

  const start = async (): Promise<void> => {
    if (starting || blocked !== null) return;
    setStarting(true);
    // A second press within this time is one too many, however fast the hub answers.
    const blockedFor = new Promise((resolve) => setTimeout(resolve, BLOCK_MS));
    await Promise.allSettled([onStart(), blockedFor]);
    setStarting(false);
  };
  const stop = async (): Promise<void> => {
    setHolding(false);
    setAsking(false);
    setStopping(true);
    await Promise.allSettled([onStop()]);
    setStopping(false);
  };
  const press = (): void => {
    if (holding || stopping) return;
    setHolding(true);
    holdTimer.current = setTimeout(() => void stop(), HOLD_MS);
  };
  const release = (): void => {
    clearTimeout(holdTimer.current);
    setHolding(false);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!event.repeat) setAsking(true);
  };
  useHotkey("r", () => setAsking(true), { enabled: mayEdit && (recording || (blocked === null && !starting)) });

  const who = me === undefined ? "" : t("capture.by", { name: me.name, role: t(`role.${project.role}`) });
  const face = starting ? "starting" : recording ? (mayEdit ? "stop" : "recording") : "start";
  return (
    <>
      <Tooltip label={blocked ?? who} disabled={!recording && blocked === null && who === ""}>
        {face === "recording" ? (
          <div className={styles.button} data-face="recording">
            <StateMark mark="ok" />
            <span>{t("recording.one")}</span>
          </div>
        ) : face === "stop" ? (
          <button type="button" className={styles.button} data-face="stop" data-holding={holding || undefined} disabled={stopping}
            aria-keyshortcuts="r" onPointerDown={press} onPointerUp={release} onPointerLeave={release} onPointerCancel={release}
            onContextMenu={(event) => event.preventDefault()} onKeyDown={onKey}>
            <i className={styles.hold} />
            <svg width={14} height={14} aria-hidden="true"><rect x={1} y={1} width={12} height={12} rx={1} fill="currentColor" /></svg>
            <span>{holding ? t("capture.keepHolding") : <><span className={styles.long}>{t("capture.hold")}</span><span className={styles.phone}>{t("capture.holdNumber", { number })}</span></>}</span>
            <kbd className={styles.key}>R</kbd>
          </button>
        ) : (
          <button type="button" className={styles.button} data-face={face} aria-disabled={face === "starting" || blocked !== null}
            data-blocked={blocked !== null || undefined} aria-keyshortcuts="r" onClick={() => void start()}>
            <svg width={14} height={14} aria-hidden="true">
              <circle cx={7} cy={7} r={face === "start" ? 6 : 5} fill={face === "start" ? "currentColor" : "none"} stroke="currentColor" strokeWidth={face === "start" ? 0 : 2} />
            </svg>
            <span>{face === "starting" ? t("capture.starting") : t("capture.start")}</span>
            {face === "start" && <kbd className={styles.key}>R</kbd>}
          </button>
        )}
      </Tooltip>
      <Dialog opened={asking && mayEdit} onClose={() => setAsking(false)} size="small" title={recording ? t("capture.stopTitle", { number }) : t("capture.startTitle")}>
        <p>{recording ? t("capture.stopText") : t("capture.startText")}</p>
        <div className={styles.answers}>
          <Button onClick={() => setAsking(false)}>{t("cancel")}</Button>
          <Button variant="filled" data-autofocus
            onClick={() => {
              setAsking(false);
              void (recording ? stop() : start());
            }}>
            {recording ? t("capture.stop") : t("capture.start")}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
