/** One clock for all charts: live with a window, or fixed; and Freeze, which holds the picture while data go on. */

import { Button, SegmentedControl } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "@/ui/icons";
import { StateMark } from "@/ui/state-mark";
import { usePhone } from "@/ui/use-phone";

import styles from "./run.module.css";
import { WINDOWS_S } from "./view-state";

interface Props {
  readonly live: boolean;
  readonly frozen: boolean;
  readonly windowS: number;
  readonly onLive: (windowS: number) => void;
  readonly onFix: () => void;
  readonly onFreeze: () => void;
}

const PHONE_WINDOWS: readonly number[] = [60, 300, 3600];

export function Conductor({ live, frozen, windowS, onLive, onFix, onFreeze }: Props): ReactElement {
  const { t } = useTranslation();
  const phone = usePhone();
  const windows = WINDOWS_S.filter((s) => !phone || PHONE_WINDOWS.includes(s) || s === windowS);
  const label = (s: number): string => (s < 60 ? t("window.s", { n: s }) : s < 3600 ? t("window.min", { n: s / 60 }) : t("window.h", { n: s / 3600 }));
  return (
    <div className={styles.conductor}>
      <span className={styles.liveWord} data-live={(live && !frozen) || undefined}>
        <StateMark mark={live && !frozen ? "ok" : "none"} size={8} />
        {t("window.live")}
      </span>
      <SegmentedControl aria-label={t("window.label")} value={live ? String(windowS) : "fixed"}
        onChange={(value) => (value === "fixed" ? onFix() : onLive(Number(value)))}
        data={[...windows.map((s) => ({ value: String(s), label: label(s) })), { value: "fixed", label: t("window.fixed") }]} />
      {!phone && <Button className={styles.freeze} leftSection={<Icon name={frozen ? "play" : "pause"} size={14} />} rightSection={<kbd>{t("window.space")}</kbd>}
        disabled={!live} aria-pressed={frozen} aria-keyshortcuts="Space" onClick={onFreeze}>
        {frozen ? t("window.resume") : t("window.freeze")}
      </Button>}
    </div>
  );
}
