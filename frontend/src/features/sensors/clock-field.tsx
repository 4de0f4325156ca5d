/** Who says when a sample was taken: the device, or the first that hears of it. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { TimeSource } from "@/api/model";
import { Select } from "@/ui/select";

const SOURCES = ["device", "arrival"] as const satisfies readonly TimeSource[];

interface Props {
  readonly value: TimeSource;
  readonly onChange: (value: TimeSource) => void;
}

export function ClockField({ value, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Select size="sm" label={t("sensor.clock")} description={t(`sensor.clockHelp.${value}`)} inputWrapperOrder={["label", "input", "description", "error"]}
      value={value} onChange={onChange} data={SOURCES.map((source) => ({ value: source, label: t(`sensor.clock.${source}`) }))} />
  );
}
