/** What changes, in figures: of samples, or of vectors' greatest elements and of all their elements. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Difference } from "@/api/profiles";
import { Figures } from "@/ui/figures";
import { count, measured } from "@/ui/format";

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
    <Figures
      rows={[
        { label: t("conversion.changed"), value: t(`conversion.changedOf.${of}`, { n: count(difference.changed), of: count(difference.samples) }) },
        { label: t("conversion.meanChange"), value: `${measured(difference.mean)} ${unit}` },
        { label: t("conversion.largestChange"), value: `${measured(difference.largest)} ${unit}` },
        ...worse.map((name) => {
          const [before, after] = [difference.status_before[name] ?? 0, difference.status_after[name] ?? 0];
          return { label: t(`sampleStatus.${name}`), value: `${count(before)} → ${count(after)}`, worse: after > before };
        }),
      ]} />
  );
}
