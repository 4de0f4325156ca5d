/** A draft under work: its fields, its curve as they change, reference pairs to fit it to, and a trial on stored samples. */

import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo, useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { useSaveDraft, type Fitted, type Profile } from "@/api/profiles";
import { XyPlot } from "@/charts/xy-plot";
import { FormProblem } from "@/ui/form-problem";
import { ProfileEditor } from "@/ui/profile-editor";
import { fieldsOf, NO_FIELDS, parseProfile, type ProfileFields } from "@/ui/profile-fields";

import styles from "./conversion.module.css";
import { Legend } from "./curve-panel";
import { grid, rangeOf, useLine } from "./curves";
import { FitPanel } from "./fit-panel";
import { TrialPanel } from "./trial-panel";

interface Props {
  readonly sensor: Sensor;
  /** The draft to go on with; null begins a new one from the active version. */
  readonly draft: Profile | null;
  readonly before: Profile | null;
  readonly onDone: (profile: Profile | null) => void;
}

const KINDS = ["linear", "table", "custom"] as const;
const PREFIX = "payload.";
const SETTLED_MS = 500;

export function DraftPanel({ sensor, draft, before, onDone }: Props): ReactElement {
  const { t } = useTranslation();
  const save = useSaveDraft(sensor.id);
  const [fields, setFields] = useState<ProfileFields>(() => {
    const payload = draft?.payload ?? before?.payload;
    return payload == null ? NO_FIELDS : fieldsOf(payload);
  });
  const [pairs, setPairs] = useState<readonly (readonly [number, number])[]>([]);
  const [tried, setTried] = useState(false);
  const parsed = useMemo(() => parseProfile(fields), [fields]);
  const [settled] = useDebouncedValue(parsed.payload, SETTLED_MS);
  const raw = useMemo(() => {
    const more = [...pairs.map(([x]) => x), ...(sensor.last_raw == null ? [] : [sensor.last_raw])];
    return grid(rangeOf([settled, before?.payload], more));
    // The newest raw value only helps to find the range; the curve does not move with each one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled, before?.payload, pairs]);
  const line = useLine(sensor.id, settled, raw, { key: "draft", tone: "physical" });
  const older = useLine(sensor.id, before?.payload, raw, { key: "before", tone: "quiet", dashed: true });
  const errors = refusedFields(save.error);
  const refused = Object.fromEntries(Object.entries(errors).flatMap(([field, message]) => (field.startsWith(PREFIX) ? [[field.slice(PREFIX.length), message]] : [])));
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setTried(true);
    if (parsed.payload !== null) save.mutate({ id: draft?.id ?? null, payload: parsed.payload }, { onSuccess: onDone });
  };
  const take = (fitted: Fitted): void => setFields({ ...fieldsOf(fitted.payload), low: fields.low, high: fields.high });
  const title = draft === null ? t("conversion.newDraft") : t("conversion.draftOf", { version: draft.version });
  return (
    <div className={styles.drafting}>
      <form className={styles.panel} onSubmit={submit}>
        <h2>
          {title} <small>{`${sensor.input_unit} → ${sensor.display_unit}`}</small>
        </h2>
        <ProfileEditor fields={fields} parsed={parsed} kinds={KINDS} inputUnit={sensor.input_unit} displayUnit={sensor.display_unit} tried={tried}
          refused={refused} onChange={setFields} />
        {Object.keys(refused).length === 0 && <FormProblem error={save.error} />}
        <div className={styles.answers}>
          {draft === null && <Button onClick={() => onDone(null)}>{t("cancel")}</Button>}
          <Button type="submit" variant="filled" loading={save.isPending}>
            {t("conversion.save")}
          </Button>
        </div>
      </form>
      <div className={styles.panels}>
        <section className={styles.panel}>
          <h2>
            {t("conversion.preview")}
            <Legend version={null} before={older === null ? null : (before?.version ?? null)} />
          </h2>
          <XyPlot label={t("conversion.preview")} lines={[older, line].filter((each) => each !== null)} dots={pairs} />
        </section>
        <FitPanel sensor={sensor} onPairs={setPairs} onTake={take} />
        {settled !== null && <TrialPanel sensor={sensor} payload={settled} />}
      </div>
    </div>
  );
}
