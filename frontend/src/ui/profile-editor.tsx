/** The fields of a conversion: a line, a table or a formula, and what raw values make sense. */

import { SegmentedControl, Textarea, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import styles from "./profile-editor.module.css";
import type { ParsedProfile, ProfileFields, ProfileKind } from "./profile-fields";
import { Select } from "./select";

interface Props {
  readonly fields: ProfileFields;
  readonly parsed: ParsedProfile;
  readonly kinds: readonly ProfileKind[];
  readonly inputUnit: string;
  readonly displayUnit: string;
  /** Faults are shown once somebody tried to go on. */
  readonly tried: boolean;
  /** What the hub said of a field, by its path within the payload. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly onChange: (fields: ProfileFields) => void;
}

export function ProfileEditor({ fields, parsed, kinds, inputUnit, displayUnit, tried, refused = {}, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const fault = (field: keyof ProfileFields): string | undefined => {
    const kind = parsed.errors[field];
    return tried && kind !== undefined ? t(`profileError.${kind}`) : refused[field];
  };
  const put = (field: keyof ProfileFields, value: string): void => onChange({ ...fields, [field]: value });
  const text = (field: keyof ProfileFields, label: string, unit = ""): ReactElement => (
    <TextInput size="sm" label={label} inputMode="decimal" value={fields[field]} error={fault(field)}
      rightSection={unit === "" ? undefined : <span className={styles.unit}>{unit}</span>} rightSectionWidth={56}
      onChange={(event) => put(field, event.currentTarget.value)} />
  );
  return (
    <>
      <div>
        <span className={styles.label}>{t("profile.label")}</span>
        <SegmentedControl aria-label={t("profile.label")} value={fields.kind} onChange={(kind) => onChange({ ...fields, kind })}
          data={kinds.map((value) => ({ value, label: t(`profile.${value}`) }))} />
      </div>
      {fields.kind === "linear" && (
        <div className={styles.pair}>
          {text("slope", t("profile.slope"))}
          {text("intercept", t("profile.intercept"), displayUnit)}
        </div>
      )}
      {fields.kind === "table" && (
        <>
          <Textarea label={t("profile.points")} description={t("profile.pointsHelp")} rows={5} value={fields.points} error={fault("points")}
            placeholder={"0.9 10\n2.1 50\n2.9 90"} onChange={(event) => put("points", event.currentTarget.value)} />
          <Select size="sm" label={t("profile.extrapolation")} value={fields.extrapolation}
            onChange={(value) => onChange({ ...fields, extrapolation: value })}
            data={(["clamp", "linear", "reject"] as const).map((value) => ({ value, label: t(`extrapolation.${value}`) }))} />
        </>
      )}
      {fields.kind === "custom" && (
        <>
          <Textarea label={t("profile.expression")} description={t("profile.expressionHelp")} rows={3} value={fields.expression}
            error={fault("expression")} classNames={{ input: styles.mono ?? "" }} placeholder="a*x**2 + sqrt(x)" spellCheck={false}
            onChange={(event) => put("expression", event.currentTarget.value)} />
          <Textarea label={t("profile.constants")} description={t("profile.constantsHelp")} rows={3} value={fields.constants}
            error={fault("constants")} classNames={{ input: styles.mono ?? "" }} placeholder="a = 0.1" spellCheck={false}
            onChange={(event) => put("constants", event.currentTarget.value)} />
        </>
      )}
      {fields.kind !== "none" && (
        <div className={styles.pair}>
          {text("low", t("profile.low"), inputUnit)}
          {text("high", t("profile.high"), inputUnit)}
        </div>
      )}
    </>
  );
}
