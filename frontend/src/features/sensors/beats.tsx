/** The last eight heartbeat intervals: received in full, late, or missed as a foot. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { BEAT_FULL, BEAT_LATE, BEAT_MISSED } from "@/telemetry/protocol";

export function Beats({ beats }: { readonly beats: readonly number[] }): ReactElement {
  const { t } = useTranslation();
  const counted = (kind: number): number => beats.filter((beat) => beat === kind).length;
  const label = t("beats.label", { full: counted(BEAT_FULL), late: counted(BEAT_LATE), missed: counted(BEAT_MISSED) });
  return (
    <svg width={40} height={10} viewBox="0 0 40 10" role="img" aria-label={label}>
      {beats.map((beat, i) => {
        if (beat === BEAT_FULL) return <rect key={i} x={i * 5} y={1} width={3} height={8} fill="var(--none-mark)" />;
        if (beat === BEAT_LATE) return <rect key={i} x={i * 5} y={1} width={3} height={8} fill="var(--warn-mark)" />;
        return <rect key={i} x={i * 5} y={7.5} width={3} height={1.5} fill={beat === BEAT_MISSED ? "var(--bad-mark)" : "var(--rule-strong)"} />;
      })}
    </svg>
  );
}
