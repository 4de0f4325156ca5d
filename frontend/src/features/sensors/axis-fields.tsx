/** The axis of a new sensor: offered to spectra, tucked away for the others. */

import { TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { axisWords, MOST_VALUES, type AxisFields as Fields, type ParsedAxis } from "@/ui/axis";
import { Check } from "@/ui/check";
import { exact } from "@/ui/format";

import styles from "./new-sensor.module.css";

interface Props {
  readonly fields: Fields;
  readonly parsed: ParsedAxis;
  readonly offered: boolean;
  /** Faults are shown once somebody tried to go on. */
  readonly tried: boolean;
  /** What the hub said, by field. */
  readonly refused: Readonly<Record<string, string>>;
  readonly onChange: (fields: Fields) => void;
}

type Text = Exclude<keyof Fields, "on">;

export function AxisFields({ fields, parsed, offered, tried, refused, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const fault = (name: Text): string | undefined => {
    const kind = parsed.errors[name];
    return tried && kind !== undefined ? t(`axisError.${kind}`, { most: exact(MOST_VALUES) }) : refused[`axis.${name}`];
  };
  const field = (name: Text, unit = "", numeric = true): ReactElement => (
    <TextInput size="sm" label={t(`axis.${name}`)} value={fields[name]} error={fault(name)} autoComplete="off" {...(numeric ? { inputMode: "decimal" } : { maxLength: name === "unit" ? 40 : 60 })}
      rightSection={unit === "" ? undefined : <span className={styles.unit}>{unit}</span>} rightSectionWidth={56}
      onChange={(event) => onChange({ ...fields, [name]: event.currentTarget.value })} />
  );
  return (
    // Anew for each kind of sensor: from there on it is the reader's to open and close.
    <details key={String(offered)} className={styles.axis} open={offered || fields.on}>
      <summary>{t("axis.title")}</summary>
      <div className={styles.axisBody}>
        <Check checked={fields.on} onChange={(on) => onChange({ ...fields, on })}>
          {t("axis.on")}
        </Check>
        {fields.on && (
          <>
            <div className={styles.pair}>
              {field("quantity", "", false)}
              {field("unit", "", false)}
            </div>
            <div className={styles.three}>
              {field("start", fields.unit)}
              {field("step", fields.unit)}
              {field("count")}
            </div>
            <p className={styles.axisWords} role="status">
              {parsed.axis === null ? "" : axisWords(parsed.axis, t)}
            </p>
            <p className={styles.help}>{t("axis.never")}</p>
          </>
        )}
      </div>
    </details>
  );
}
