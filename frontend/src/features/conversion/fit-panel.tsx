/** Reference pairs, what fits them, and how far each lies from it. */

import { Button, SegmentedControl, Textarea } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useFit, type Fitted } from "@/api/profiles";
import { FormProblem } from "@/ui/form-problem";
import { fixed, measured } from "@/ui/format";
import list from "@/ui/list-table.module.css";
import { parsePoints } from "@/ui/profile-fields";

import styles from "./conversion.module.css";

type Pairs = readonly (readonly [number, number])[];

interface Props {
  readonly sensor: Sensor;
  readonly onPairs: (pairs: Pairs) => void;
  readonly onTake: (fitted: Fitted) => void;
}

export function FitPanel({ sensor, onPairs, onTake }: Props): ReactElement {
  const { t } = useTranslation();
  const fit = useFit(sensor.id);
  const [kind, setKind] = useState<"linear" | "table">("linear");
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const [fitted, setFitted] = useState<Pairs>([]);
  const pairs = parsePoints(text);
  const run = (): void => {
    setTried(true);
    if (pairs === null) return;
    onPairs(pairs);
    fit.mutate({ kind, pairs, extrapolation: "clamp" }, { onSuccess: () => setFitted(pairs) });
  };
  return (
    <section className={styles.panel}>
      <h2>{t("conversion.fit")}</h2>
      <Textarea label={t("conversion.pairs")} description={t("conversion.pairsHelp")} rows={4} value={text} placeholder={"0.9 10.04\n1.4 29.97\n2.9 90.02"}
        error={tried && pairs === null ? t("profileError.points") : undefined} onChange={(event) => setText(event.currentTarget.value)} />
      <div className={styles.row}>
        <SegmentedControl aria-label={t("conversion.fitKind")} value={kind} onChange={setKind}
          data={(["linear", "table"] as const).map((value) => ({ value, label: t(`profile.${value}`) }))} />
        <Button loading={fit.isPending} onClick={run}>
          {t("conversion.fitNow")}
        </Button>
      </div>
      <FormProblem error={fit.error} />
      {fit.data !== undefined && (
        <>
          <div className={list.wrap}>
            <table className={list.table}>
              <thead>
                <tr>
                  <th scope="col">{`${t("layer.raw")}, ${sensor.input_unit}`}</th>
                  <th scope="col" className={list.right}>{`${t("conversion.reference")}, ${sensor.display_unit}`}</th>
                  <th scope="col" className={list.right}>{`${t("conversion.residual")}, ${sensor.display_unit}`}</th>
                </tr>
              </thead>
              <tbody>
                {fitted.map(([raw, physical], i) => (
                  <tr key={`${raw} ${i}`}>
                    <td>{measured(raw, 5)}</td>
                    <td className={list.right}>{measured(physical, 5)}</td>
                    <td className={list.right}>{signed(fit.data.residuals[i])}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <div className={styles.row}>
            <span>
              {t("conversion.rms")} <b>{measured(fit.data.rms, 3)}</b> · {t("conversion.largest")} <b>{measured(fit.data.largest, 3)}</b>
              {fit.data.r_squared != null && ` · R² ${fixed(fit.data.r_squared, 6)}`}
            </span>
            <Button variant="light" onClick={() => onTake(fit.data)}>
              {t("conversion.take")}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}

const signed = (value: number | undefined): string => (value !== undefined && value > 0 ? `+${measured(value, 3)}` : measured(value, 3));
