/** Choose which sensors take part in a run, and which of them captures store. */

import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { BoundSensor, Run, Sensor } from "@/api/model";
import { useChangeRun } from "@/api/runs";
import { Dialog } from "@/ui/dialog";
import { explain } from "@/ui/explain";
import { Icon } from "@/ui/icons";

import styles from "./run.module.css";

type Mode = NonNullable<BoundSensor["mode"]>;

interface Props {
  readonly run: Run;
  readonly sensors: readonly Sensor[];
  readonly opened: boolean;
  readonly onClose: () => void;
}

const FILTER_FROM = 8;

export function BindDialog({ opened, onClose, ...rest }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={t("bind.title")} size="large">
      <Choice {...rest} onClose={onClose} />
    </Dialog>
  );
}

function Choice({ run, sensors, onClose }: Omit<Props, "opened">): ReactElement {
  const { t } = useTranslation();
  const change = useChangeRun(run.id);
  const [modes, setModes] = useState<ReadonlyMap<string, Mode>>(new Map(run.sensors.map((each) => [each.sensor_id, each.mode ?? "record"])));
  const [text, setText] = useState("");
  const set = (id: string, mode: Mode | null): void => {
    const next = new Map(modes);
    if (mode === null) next.delete(id);
    else next.set(id, mode);
    setModes(next);
  };
  const save = (): void => {
    // Kept in the order of the page; new ones follow in the order of the list.
    const known = run.sensors.map((each) => each.sensor_id).filter((id) => modes.has(id));
    const order = [...known, ...sensors.map((sensor) => sensor.id).filter((id) => modes.has(id) && !known.includes(id))];
    change.mutate({ kind: "sensors", sensors: order.map((id) => ({ sensor_id: id, mode: modes.get(id) ?? "record" })) }, { onSuccess: onClose });
  };
  const shown = sensors.filter((sensor) => sensor.name.toLowerCase().includes(text.toLowerCase()));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <p className={styles.hint}>{t("bind.text")}</p>
      {sensors.length >= FILTER_FROM && (
        <TextInput size="xs" mt={12} leftSection={<Icon name="search" size={14} />} aria-label={t("filter.name")} placeholder={t("filter.name")} value={text}
          onChange={(event) => setText(event.currentTarget.value)} />
      )}
      {sensors.length === 0 && <p className={styles.hint}>{t("bind.none")}</p>}
      <ul className={styles.choices} tabIndex={0} aria-label={t("run.sensors")}>
        {shown.map((sensor) => {
          const mode = modes.get(sensor.id) ?? null;
          return (
            <li key={sensor.id}>
              <label className={styles.check}>
                <input type="checkbox" checked={mode !== null} onChange={(event) => set(sensor.id, event.currentTarget.checked ? "record" : null)} />
                {sensor.name}
              </label>
              <span className={styles.hint}>{t(`type.${sensor.type}`)}</span>
              <SegmentedControl aria-label={t("bind.mode", { name: sensor.name })} disabled={mode === null} value={mode ?? "record"}
                onChange={(value) => set(sensor.id, value)}
                data={(["record", "monitor"] as const).map((value) => ({ value, label: t(`mode.${value}`) }))} />
            </li>
          );
        })}
      </ul>
      {change.error !== null && (
        <p role="alert" className={styles.problem}>
          {explain(change.error, t).detail}
        </p>
      )}
      <div className={styles.answers}>
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button type="submit" variant="filled" loading={change.isPending}>
          {t("bind.save", { count: modes.size })}
        </Button>
      </div>
    </form>
  );
}
