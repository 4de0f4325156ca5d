/** Step 2: units, and how raw becomes physical. */

import { Button, Textarea, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { measured } from "@/ui/format";
import { ProfileEditor } from "@/ui/profile-editor";
import { parseNumber, type ParsedProfile, previewOf, type ProfileFields } from "@/ui/profile-fields";
import { StepTitle } from "@/ui/step-title";
import { useInvalidFocus } from "@/ui/use-invalid-focus";

import styles from "./new-sensor.module.css";

export interface Units {
  readonly inputUnit: string;
  readonly displayUnit: string;
  readonly notes: string;
}

const KINDS = ["linear", "table", "custom", "none"] as const;
const PREFIX = "profile.";

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
  const [tries, setTries] = useState(0);
  const [probe, setProbe] = useState("1");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setTries(tries + 1);
    if (Object.keys(parsed.errors).length === 0) onNext();
  };
  const element = useInvalidFocus(tries, Object.keys(errors).length === 0 ? null : errors);
  const raw = parseNumber(probe);
  const became = raw === null ? null : previewOf(parsed.payload, raw);
  const refused = Object.fromEntries(Object.entries(errors).flatMap(([field, message]) => (field.startsWith(PREFIX) ? [[field.slice(PREFIX.length), message]] : [])));
  const profileProblems = Object.entries(errors).filter(([field]) => field.startsWith(PREFIX) && !(field.slice(PREFIX.length) in profile));
  return (
    <form ref={element} className={styles.form} onSubmit={submit}>
      <StepTitle>{t("step.units")}</StepTitle>
      <div className={styles.pair}>
        <TextInput size="sm" label={t("sensor.inputUnit")} value={units.inputUnit} maxLength={40} error={errors.input_unit}
          onChange={(event) => onUnits({ ...units, inputUnit: event.currentTarget.value })} />
        {profile.kind !== "none" && (
          <TextInput size="sm" label={t("sensor.displayUnit")} value={units.displayUnit} maxLength={40} error={errors.display_unit}
            onChange={(event) => onUnits({ ...units, displayUnit: event.currentTarget.value })} />
        )}
      </div>
      <ProfileEditor fields={profile} parsed={parsed} kinds={KINDS} inputUnit={units.inputUnit} displayUnit={units.displayUnit} tried={tries > 0}
        refused={refused} onChange={onProfile} />
      {profile.kind !== "none" && profile.kind !== "custom" && (
          <div className={styles.preview}>
            <TextInput size="sm" label={t("profile.try")} inputMode="decimal" value={probe} onChange={(event) => setProbe(event.currentTarget.value)}
              rightSection={<span className={styles.unit}>{units.inputUnit}</span>} rightSectionWidth={56} />
            <output>
              → <b>{measured(became)}</b> {units.displayUnit}
            </output>
          </div>
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
