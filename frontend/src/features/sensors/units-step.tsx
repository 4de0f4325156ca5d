/** Step 2: units, and how raw becomes physical. */

import { Button, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { measured } from "@/ui/format";
import { Select } from "@/ui/select";

import styles from "./new-sensor.module.css";
import { parseNumber, type ParsedProfile, previewOf, type ProfileFields  } from "./profile-fields";

export interface Units {
  readonly inputUnit: string;
  readonly displayUnit: string;
  readonly notes: string;
}

interface Props {
  readonly units: Units;
  readonly profile: ProfileFields;
  readonly parsed: ParsedProfile;
  readonly errors: Readonly<Record<string, string>>;
  readonly problem: string | null;
  readonly busy: boolean;
  readonly onUnits: (units: Units) => void;
  readonly onProfile: (profile: ProfileFields) => void;
  readonly onNext: () => void;
}

export function UnitsStep(props: Props): ReactElement {
  const { units, profile, parsed, errors, problem, busy, onUnits, onProfile, onNext } = props;
  const { t } = useTranslation();
  const [tried, setTried] = useState(false);
  const [probe, setProbe] = useState("1");
  const fault = (field: keyof ProfileFields): string | undefined => {
    const kind = parsed.errors[field];
    return tried && kind !== undefined ? t(`profileError.${kind}`) : undefined;
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(parsed.errors).length === 0) onNext();
  };
  const text = (field: keyof ProfileFields, label: string, unit = ""): ReactElement => (
    <TextInput size="sm" label={label} inputMode="decimal" value={profile[field]} error={fault(field)}
      rightSection={unit === "" ? undefined : <span className={styles.unit}>{unit}</span>} rightSectionWidth={56}
      onChange={(event) => onProfile({ ...profile, [field]: event.currentTarget.value })} />
  );
  const raw = parseNumber(probe);
  const became = raw === null ? null : previewOf(parsed.payload, raw);
  const profileProblems = Object.entries(errors).filter(([field]) => field.startsWith("profile"));
  return (
    <form className={styles.form} onSubmit={submit}>
      <h2>{t("step.units")}</h2>
      <div className={styles.pair}>
        <TextInput size="sm" label={t("sensor.inputUnit")} value={units.inputUnit} maxLength={40} error={errors.input_unit}
          onChange={(event) => onUnits({ ...units, inputUnit: event.currentTarget.value })} />
        {profile.kind !== "none" && (
          <TextInput size="sm" label={t("sensor.displayUnit")} value={units.displayUnit} maxLength={40} error={errors.display_unit}
            onChange={(event) => onUnits({ ...units, displayUnit: event.currentTarget.value })} />
        )}
      </div>
      <div>
        <span className={styles.label}>{t("profile.label")}</span>
        <SegmentedControl aria-label={t("profile.label")} value={profile.kind} onChange={(kind) => onProfile({ ...profile, kind: kind })}
          data={(["linear", "table", "none"] as const).map((value) => ({ value, label: t(`profile.${value}`) }))} />
      </div>
      {profile.kind === "linear" && (
        <div className={styles.pair}>
          {text("slope", t("profile.slope"))}
          {text("intercept", t("profile.intercept"), units.displayUnit)}
        </div>
      )}
      {profile.kind === "table" && (
        <>
          <Textarea label={t("profile.points")} description={t("profile.pointsHelp")} rows={5} value={profile.points} error={fault("points")}
            placeholder={"0.9 10\n2.1 50\n2.9 90"} onChange={(event) => onProfile({ ...profile, points: event.currentTarget.value })} />
          <Select size="sm" label={t("profile.extrapolation")} value={profile.extrapolation}
            onChange={(value) => onProfile({ ...profile, extrapolation: value })}
            data={(["clamp", "linear", "reject"] as const).map((value) => ({ value, label: t(`extrapolation.${value}`) }))} />
        </>
      )}
      {profile.kind !== "none" && (
        <>
          <div className={styles.pair}>
            {text("low", t("profile.low"), units.inputUnit)}
            {text("high", t("profile.high"), units.inputUnit)}
          </div>
          <div className={styles.preview}>
            <TextInput size="sm" label={t("profile.try")} inputMode="decimal" value={probe} onChange={(event) => setProbe(event.currentTarget.value)}
              rightSection={<span className={styles.unit}>{units.inputUnit}</span>} rightSectionWidth={56} />
            <output>
              → <b>{measured(became)}</b> {units.displayUnit}
            </output>
          </div>
        </>
      )}
      <Textarea label={t("sensor.notes")} rows={2} value={units.notes} onChange={(event) => onUnits({ ...units, notes: event.currentTarget.value })} />
      {[...profileProblems.map(([field, message]) => `${field}: ${message}`), ...(problem === null ? [] : [problem])].map((message) => (
        <p key={message} role="alert" className={styles.problem}>
          {message}
        </p>
      ))}
      <div className={styles.actions}>
        <Button type="submit" size="sm" variant="filled" loading={busy}>
          {t("sensor.register")}
        </Button>
      </div>
    </form>
  );
}
