/** A payload tried on what the sensor has sent: before and after, and how far they lie apart. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useTrial, type Payload } from "@/api/profiles";
import { timeSplits, timeStep } from "@/charts/ticks";
import { XyPlot } from "@/charts/xy-plot";
import { FormProblem } from "@/ui/form-problem";
import { moment } from "@/ui/format";
import { Select } from "@/ui/select";

import styles from "./conversion.module.css";
import { DifferenceText } from "./difference-text";

const TIME = { ticks: (min: number, max: number, width: number) => timeSplits(min, max, timeStep(max - min, width)), label: (at: number) => moment(at) };
const SPANS_S = ["600", "3600", "86400"] as const;

export function TrialPanel({ sensor, payload }: { readonly sensor: Sensor; readonly payload: Payload }): ReactElement {
  const { t } = useTranslation();
  const trial = useTrial(sensor.id);
  const [spanS, setSpanS] = useState<(typeof SPANS_S)[number]>("3600");
  const newest = sensor.last_t === null ? null : Date.parse(sensor.last_t);
  const run = (): void => {
    if (newest === null) return;
    trial.mutate({ payload, from: new Date(newest - Number(spanS) * 1000).toISOString(), to: new Date(newest + 1).toISOString() });
  };
  const found = trial.data;
  return (
    <section className={styles.panel}>
      <h2>{t("conversion.trial")}</h2>
      <div className={styles.row}>
        <Select aria-label={t("conversion.trialSpan")} value={spanS} onChange={setSpanS}
          data={SPANS_S.map((value) => ({ value, label: t(`conversion.span${value}`) }))} />
        <Button loading={trial.isPending} disabled={newest === null} onClick={run}>
          {t("conversion.tryNow")}
        </Button>
      </div>
      <FormProblem error={trial.error} />
      {found !== undefined && found.t.length > 0 && (
        <>
          <XyPlot label={t("conversion.trial")} height={200} xAxis={TIME}
            lines={[
              { key: "before", tone: "quiet", dashed: true, points: found.t.map((at, i) => [at, found.before.physical[i] ?? null] as const) },
              { key: "after", tone: "physical", points: found.t.map((at, i) => [at, found.after.physical[i] ?? null] as const) },
            ]} />
          <DifferenceText difference={found.summary} unit={sensor.display_unit} />
        </>
      )}
      {found?.t.length === 0 && <p className={styles.quiet}>{t("conversion.nothing")}</p>}
    </section>
  );
}
