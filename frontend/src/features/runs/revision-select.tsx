/** Which revision of a stored capture the charts show. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Select } from "@/ui/select";

interface Props {
  readonly newest: number;
  readonly chosen: number | null;
  readonly onChoose: (revision: number | null) => void;
}

export function RevisionSelect({ newest, chosen, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const label = (revision: number): string =>
    revision === 1 ? t("revision.first") : revision === newest ? t("revision.newest", { revision }) : t("revision.numbered", { revision });
  return (
    <Select aria-label={t("revision.label")} value={String(chosen ?? newest)} onChange={(value) => onChoose(Number(value) === newest ? null : Number(value))}
      data={Array.from({ length: newest }, (_, i) => ({ value: String(newest - i), label: label(newest - i) }))} />
  );
}
