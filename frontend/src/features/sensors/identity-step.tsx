/** Step 1: what the sensor is. */

import { Button, TextInput } from "@mantine/core";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { SENSOR_TYPES, type SensorType } from "@/api/model";
import { Select } from "@/ui/select";

import styles from "./new-sensor.module.css";

export interface Identity {
  readonly name: string;
  readonly type: SensorType;
  readonly heartbeatS: string;
  readonly token: string;
}

interface Props {
  readonly value: Identity;
  readonly errors: Readonly<Record<string, string>>;
  readonly onChange: (value: Identity) => void;
  readonly onNext: () => void;
}

export function IdentityStep({ value, errors, onChange, onNext }: Props): ReactElement {
  const { t } = useTranslation();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onNext();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <h2>{t("step.identity")}</h2>
      <TextInput size="sm" label={t("sensor.name")} required withAsterisk={false} maxLength={200} data-autofocus autoFocus value={value.name}
        onChange={(event) => onChange({ ...value, name: event.currentTarget.value })} error={errors.name} />
      <Select size="sm" label={t("sensor.type")} value={value.type}
        onChange={(type) => onChange({ ...value, type })} data={SENSOR_TYPES.map((type) => ({ value: type, label: t(`type.${type}`) }))} error={errors.type} />
      <TextInput size="sm" label={t("sensor.heartbeat")} description={t("sensor.heartbeatHelp")} inputMode="decimal" pattern="\d+(\.\d+)?" required
        withAsterisk={false} rightSection={<span className={styles.unit}>s</span>} value={value.heartbeatS}
        onChange={(event) => onChange({ ...value, heartbeatS: event.currentTarget.value })} error={errors.heartbeat_interval_s} />
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
