/** Step 1: what the sensor is. */

import { Button, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { SENSOR_TYPES, type SensorType, type TimeSource } from "@/api/model";
import { parseAxis, type AxisFields as Axis } from "@/ui/axis";
import { Select } from "@/ui/select";
import { useInvalidFocus } from "@/ui/use-invalid-focus";

import { AxisFields } from "./axis-fields";
import { ClockField } from "./clock-field";
import { parseHeartbeat } from "./heartbeat";
import styles from "./new-sensor.module.css";

export interface Identity {
  readonly name: string;
  readonly type: SensorType;
  readonly axis: Axis;
  readonly timeSource: TimeSource;
  readonly heartbeatS: string;
  readonly token: string;
}

export const NEW_IDENTITY: Identity = {
  name: "",
  type: "temperature",
  axis: { on: false, quantity: "", unit: "Hz", start: "0", step: "", count: "" },
  timeSource: "device",
  heartbeatS: "10",
  token: "",
};

interface Props {
  readonly value: Identity;
  readonly errors: Readonly<Record<string, string>>;
  readonly onChange: (value: Identity) => void;
  readonly onNext: () => void;
}

export function IdentityStep({ value, errors, onChange, onNext }: Props): ReactElement {
  const { t } = useTranslation();
  const [tries, setTries] = useState(0);
  const element = useInvalidFocus(tries, Object.keys(errors).length === 0 ? null : errors);
  const parsed = parseAxis(value.axis);
  const named = value.name.trim() !== "";
  const beats = parseHeartbeat(value.heartbeatS) !== null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setTries(tries + 1);
    if (named && beats && Object.keys(parsed.errors).length === 0) onNext();
  };
  return (
    <form ref={element} className={styles.form} onSubmit={submit} noValidate>
      <h2>{t("step.identity")}</h2>
      <TextInput size="sm" label={t("sensor.name")} maxLength={200} data-autofocus autoFocus value={value.name}
        onChange={(event) => onChange({ ...value, name: event.currentTarget.value })} error={tries > 0 && !named ? t("sensorError.name") : errors.name} />
      <Select size="sm" label={t("sensor.type")} value={value.type}
        onChange={(type) => onChange({ ...value, type })} data={SENSOR_TYPES.map((type) => ({ value: type, label: t(`type.${type}`) }))} error={errors.type} />
      <AxisFields fields={value.axis} parsed={parsed} offered={value.type === "vibration_spectrum"} tried={tries > 0} refused={errors}
        onChange={(axis) => onChange({ ...value, axis })} />
      <TextInput size="sm" label={t("sensor.heartbeat")} description={t("sensor.heartbeatHelp")} inputMode="decimal"
        rightSection={<span className={styles.unit}>{t("unit.second")}</span>} value={value.heartbeatS}
        onChange={(event) => onChange({ ...value, heartbeatS: event.currentTarget.value })} error={tries > 0 && !beats ? t("sensorError.heartbeat") : errors.heartbeat_interval_s} />
      <ClockField value={value.timeSource} onChange={(timeSource) => onChange({ ...value, timeSource })} />
      <TextInput size="sm" label={t("sensor.ownToken")} description={t("sensor.ownTokenHelp")} value={value.token} autoComplete="off"
        onChange={(event) => onChange({ ...value, token: event.currentTarget.value })} error={errors.token} />
      <div className={styles.actions}>
        <Button type="submit" size="sm" variant="filled">
          {t("next")}
        </Button>
      </div>
    </form>
  );
}
