/** What changes, in figures: of samples, or of vectors' greatest elements and of all their elements. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Difference } from "@/api/profiles";
import { count, measured } from "@/ui/format";

import styles from "./conversion.module.css";

interface Props {
  readonly difference: Difference;
  readonly unit: string;
  readonly of?: "samples" | "peaks" | "elements";
}

interface Both {
  readonly difference: Difference;
  /** Null where samples are numbers. */
  readonly elements: Difference | null;
  readonly unit: string;
}

export function DifferenceOfBoth({ difference, elements, unit }: Both): ReactElement {
  if (elements === null) return <DifferenceText difference={difference} unit={unit} />;
  return (
    <>
      <DifferenceText difference={difference} unit={unit} of="peaks" />
      <DifferenceText difference={elements} unit={unit} of="elements" />
    </>
  );
}

export function DifferenceText({ difference, unit, of = "samples" }: Props): ReactElement {
  const { t } = useTranslation();
  const worse = (["out_of_range", "conversion_error"] as const).filter((name) => (difference.status_before[name] ?? 0) + (difference.status_after[name] ?? 0) > 0);
  return (
    <dl className={styles.figures}>
      <dt>{t("conversion.changed")}</dt>
      <dd>{t(`conversion.changedOf.${of}`, { n: count(difference.changed), of: count(difference.samples) })}</dd>
      <dt>{t("conversion.meanChange")}</dt>
      <dd>
        {measured(difference.mean)} {unit}
      </dd>
      <dt>{t("conversion.largestChange")}</dt>
      <dd>
        {measured(difference.largest)} {unit}
      </dd>
      {worse.map((name) => (
        <FigureOf key={name} label={t(`sampleStatus.${name}`)} before={difference.status_before[name] ?? 0} after={difference.status_after[name] ?? 0} />
      ))}
    </dl>
  );
}

function FigureOf({ label, before, after }: { readonly label: string; readonly before: number; readonly after: number }): ReactElement {
  return (
    <>
      <dt>{label}</dt>
      <dd data-worse={after > before || undefined}>{`${count(before)} → ${count(after)}`}</dd>
    </>
  );
}
