/** What may be changed of a sensor; its conversion has versions of its own, its axis stays. */

import { Textarea, TextInput } from "@mantine/core";
import { useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { useAgents } from "@/api/agents";
import { SENSOR_TYPES, type Sensor } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { useUpdateSensor } from "@/api/sensors";
import { Answers } from "@/ui/answers";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { Select } from "@/ui/select";
import { toast } from "@/ui/toasts";
import { useInvalidFocus } from "@/ui/use-invalid-focus";

import { ClockField } from "./clock-field";
import { parseHeartbeat } from "./heartbeat";
import styles from "./new-sensor.module.css";

interface Props {
  readonly sensor: Sensor;
  readonly opened: boolean;
  readonly onClose: () => void;
}

const SHOWN = ["name", "type", "input_unit", "display_unit", "heartbeat_interval_s", "agent_id", "calibration_notes"];

export function SensorDialog({ sensor, opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={t("sensor.edit")}>
      <Fields sensor={sensor} onClose={onClose} />
    </Dialog>
  );
}

function Fields({ sensor, onClose }: Omit<Props, "opened">): ReactElement {
  const { t } = useTranslation();
  const update = useUpdateSensor(sensor);
  const agents = useAgents(sensor.project_id).data ?? [];
  const [fields, setFields] = useState(() => ({
    name: sensor.name,
    type: sensor.type,
    input_unit: sensor.input_unit,
    display_unit: sensor.display_unit,
    heartbeat: String(sensor.heartbeat_interval_s),
    time_source: sensor.time_source,
    agent_id: sensor.agent_id ?? "",
    calibration_notes: sensor.calibration_notes,
  }));
  const [tries, setTries] = useState(0);
  const element = useInvalidFocus(tries, update.error);
  const refused = refusedFields(update.error);
  const heartbeat = parseHeartbeat(fields.heartbeat);
  const put = (change: Partial<typeof fields>): void => setFields({ ...fields, ...change });
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setTries(tries + 1);
    if (heartbeat === null || fields.name.trim() === "") return;
    const { name, type, input_unit, display_unit, time_source, agent_id, calibration_notes } = fields;
    update.mutate(
      { name: name.trim(), type, input_unit, display_unit, heartbeat_interval_s: heartbeat, time_source, agent_id: agent_id === "" ? null : agent_id, calibration_notes },
      {
        onSuccess: () => {
          toast({ tone: "ok", title: t("sensor.changed", { name: name.trim() }) });
          onClose();
        },
      },
    );
  };
  return (
    <form ref={element} className={form.form} onSubmit={submit} noValidate>
      <TextInput size="sm" label={t("sensor.name")} maxLength={200} data-autofocus value={fields.name}
        error={tries > 0 && fields.name.trim() === "" ? t("sensorError.name") : refused.name} onChange={(event) => put({ name: event.currentTarget.value })} />
      <Select size="sm" label={t("sensor.type")} value={fields.type} error={refused.type} onChange={(type) => put({ type })}
        data={SENSOR_TYPES.map((type) => ({ value: type, label: t(`type.${type}`) }))} />
      <div className={styles.pair}>
        <TextInput size="sm" label={t("sensor.inputUnit")} value={fields.input_unit} maxLength={40} error={refused.input_unit}
          onChange={(event) => put({ input_unit: event.currentTarget.value })} />
        <TextInput size="sm" label={t("sensor.displayUnit")} value={fields.display_unit} maxLength={40} error={refused.display_unit}
          onChange={(event) => put({ display_unit: event.currentTarget.value })} />
      </div>
      <TextInput size="sm" label={t("sensor.heartbeat")} inputMode="decimal" autoComplete="off" rightSection={<span className={styles.unit}>{t("unit.second")}</span>}
        value={fields.heartbeat} error={tries > 0 && heartbeat === null ? t("sensorError.heartbeat") : refused.heartbeat_interval_s}
        onChange={(event) => put({ heartbeat: event.currentTarget.value })} />
      <ClockField value={fields.time_source} onChange={(time_source) => put({ time_source })} />
      <Select size="sm" label={t("sensor.agent")} description={t("sensor.agentHelp")} inputWrapperOrder={["label", "input", "description", "error"]}
        value={fields.agent_id} error={refused.agent_id} onChange={(agent_id) => put({ agent_id })}
        data={[{ value: "", label: t("sensor.noAgent") }, ...agents.map((agent) => ({ value: agent.id, label: agent.name }))]} />
      <Textarea label={t("sensor.notes")} rows={2} maxLength={10_000} value={fields.calibration_notes} error={refused.calibration_notes}
        onChange={(event) => put({ calibration_notes: event.currentTarget.value })} />
      <FormProblem error={update.error} fields={SHOWN} />
      <Answers submit={t("save")} busy={update.isPending} onCancel={onClose} />
    </form>
  );
}
