/** The last vector under a sensor's curve: the newest while it is watched live, or that at the end of the window. */

import { type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useNewestVector } from "@/api/vectors";
import type { ViewWindow } from "@/telemetry/protocol";
import { useVector } from "@/telemetry/use-telemetry";
import { clock } from "@/ui/format";

import styles from "./spectrum.module.css";
import { Spectrum, type VectorAxis } from "./spectrum";

interface Props {
  readonly sensorId: string;
  readonly axis: VectorAxis;
  readonly unit: string;
  readonly window: ViewWindow;
}

const STEP_S = 1;

export function LastSpectrum({ sensorId, axis, unit, window }: Props): ReactElement {
  const { t } = useTranslation();
  const live = useVector(sensorId);
  // A window that is dragged asks once a second of it, not with every pixel.
  const to = window.kind === "live" ? null : Math.ceil(window.to / STEP_S) * STEP_S;
  const { captureId = null, revision = null } = window.kind === "live" ? {} : window;
  const stored = useNewestVector({ sensorId, captureId, revision, to });
  const shown = (window.kind === "live" ? live : undefined) ?? stored.data ?? null;
  if (shown === null) {
    const text = stored.isPending ? null : stored.isError ? t("spectrum.problem") : t("spectrum.none");
    return <div className={styles.pane}>{text !== null && <p className={styles.note}>{text}</p>}</div>;
  }
  return (
    <div className={styles.pane}>
      <Spectrum axis={axis} values={shown.physical} unit={unit} label={clock(shown.t)} />
    </div>
  );
}
