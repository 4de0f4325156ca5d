/** The field of one limit, with what it is at first and, below one a second, what that means. */

import { TextInput } from "@mantine/core";
import type { TFunction } from "i18next";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { exact } from "./format";
import { parseLimit, type LimitRule } from "./limits";

interface Props {
  readonly label: string;
  readonly rule: LimitRule;
  readonly value: string;
  /** Faults are shown once somebody tried to go on. */
  readonly tried: boolean;
  readonly refused?: string | undefined;
  readonly autoFocus?: boolean;
  readonly onChange: (value: string) => void;
}

export function LimitField({ label, rule, value, tried, refused, autoFocus = false, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const limit = parseLimit(value, rule);
  const range = { least: exact(rule.least), most: exact(rule.most) };
  const fault = tried && limit === null ? t(rule.whole ? "limitError.whole" : "limitError.between", range) : refused;
  const initial = exact(rule.initial);
  const help = limit !== null && limit < 1 ? t("limits.pace", { value: initial, time: pace(limit, t) }) : t("limits.default", { value: initial });
  return (
    <TextInput size="sm" label={label} description={help} inputWrapperOrder={["label", "input", "description", "error"]} inputMode="decimal" autoComplete="off"
      {...(autoFocus ? { "data-autofocus": true } : {})} value={value} error={fault} onChange={(event) => onChange(event.currentTarget.value)} />
  );
}

/** The time between two where there is less than one a second. */
function pace(perS: number, t: TFunction): string {
  const apartS = 1 / perS;
  return apartS < 100 ? t("duration.s", { n: exact(Math.round(apartS * 10) / 10) }) : t("duration.min", { n: exact(Math.round(apartS / 6) / 10) });
}
