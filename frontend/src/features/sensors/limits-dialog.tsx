/** The limits of a sensor's token, set by an owner. */

import { useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { useUpdateSensor } from "@/api/sensors";
import { Answers } from "@/ui/answers";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { LimitField } from "@/ui/limit-field";
import { limitsOf, parseLimit, SENSOR_RULES, type SensorLimit } from "@/ui/limits";
import { toast } from "@/ui/toasts";
import { useInvalidFocus } from "@/ui/use-invalid-focus";

const NAMES = ["requests_per_s", "burst", "samples_per_s"] as const satisfies readonly SensorLimit[];

interface Props {
  readonly sensor: Sensor;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function LimitsDialog({ sensor, opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={t("limits.editNamed", { name: sensor.name })}>
      <Fields sensor={sensor} onClose={onClose} />
    </Dialog>
  );
}

function Fields({ sensor, onClose }: Omit<Props, "opened">): ReactElement {
  const { t } = useTranslation();
  const update = useUpdateSensor(sensor);
  const [typed, setTyped] = useState(() => {
    const { requests_per_s, burst, samples_per_s } = limitsOf(sensor);
    return { requests_per_s: String(requests_per_s), burst: String(burst), samples_per_s: String(samples_per_s) };
  });
  const [tries, setTries] = useState(0);
  const element = useInvalidFocus(tries, update.error);
  const refused = refusedFields(update.error);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setTries(tries + 1);
    const limits = Object.fromEntries(NAMES.map((name) => [name, parseLimit(typed[name], SENSOR_RULES[name])]));
    if (Object.values(limits).includes(null)) return;
    update.mutate(
      { limits },
      {
        onSuccess: () => {
          toast({ tone: "ok", title: t("limits.saved", { name: sensor.name }) });
          onClose();
        },
      },
    );
  };
  return (
    <form ref={element} className={form.form} onSubmit={submit} noValidate>
      <p className={form.text}>{t("limits.about")}</p>
      {NAMES.map((name, i) => (
        <LimitField key={name} label={t(`limits.${name}`)} rule={SENSOR_RULES[name]} value={typed[name]} tried={tries > 0} refused={refused[`limits.${name}`]}
          autoFocus={i === 0} onChange={(value) => setTyped({ ...typed, [name]: value })} />
      ))}
      <FormProblem error={update.error} fields={NAMES.map((name) => `limits.${name}`)} />
      <Answers submit={t("save")} busy={update.isPending} onCancel={onClose} />
    </form>
  );
}
