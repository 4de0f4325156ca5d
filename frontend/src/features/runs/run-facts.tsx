/** What describes a run beside its curves: sensors, parameters, code and environment. */

import { Button, UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayEdit } from "@/api/me";
import type { Run, Sensor } from "@/api/model";
import { count } from "@/ui/format";
import { Icon } from "@/ui/icons";

import styles from "./run.module.css";
import type { RunView } from "./view-state";

interface Props {
  readonly run: Run;
  readonly sensors: readonly Sensor[];
  readonly view: RunView;
  readonly over: boolean;
  readonly onBind: () => void;
}

const MOST_CHARTS = 4;

export function RunFacts({ run, sensors, view, over, onBind }: Props): ReactElement {
  const { t } = useTranslation();
  const mayEdit = useMayEdit();
  const bound = run.sensors.map((each) => each.sensor_id);
  const charts = view.charts(bound);
  const toggle = (id: string): void => {
    const next = charts.includes(id) ? charts.filter((each) => each !== id) : [...charts.slice(-(MOST_CHARTS - 1)), id];
    view.setCharts(next);
  };
  const code: [string, string][] = [
    ...(run.git_sha === null ? [] : ([["git", run.git_sha.slice(0, 12)]] as [string, string][])),
    ...entries(run.environment),
    ...entries(run.config),
  ];
  return (
    <>
      <section className={styles.section} aria-label={t("run.sensors")}>
        <div className={styles.sectionHead}>
          <h2>
            {t("run.sensors")} <span>{count(bound.length)}</span>
          </h2>
          {mayEdit && !over && (
            <Button variant="subtle" onClick={onBind}>
              {t("run.bind")}
            </Button>
          )}
        </div>
        <ul className={styles.bound}>
          {run.sensors.map(({ sensor_id: id, mode }) => (
            <li key={id}>
              <UnstyledButton className={styles.boundRow} aria-pressed={charts.includes(id)} title={t("run.toggleChart")} onClick={() => toggle(id)}>
                <span className={styles.tickBox}>{charts.includes(id) && <Icon name="check" size={12} />}</span>
                <span className={styles.boundName}>{sensors.find((sensor) => sensor.id === id)?.name ?? id.slice(0, 8)}</span>
                <span className={styles.mode}>{t(`mode.${mode ?? "record"}`)}</span>
              </UnstyledButton>
            </li>
          ))}
        </ul>
      </section>
      <Facts title={t("run.params")} entries={entries(run.params)} />
      <Facts title={t("run.code")} entries={code} />
    </>
  );
}

function entries(record: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(record).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
}

function Facts({ title, entries: rows }: { readonly title: string; readonly entries: readonly (readonly [string, string])[] }): ReactElement | null {
  if (rows.length === 0) return null;
  return (
    <section className={styles.section} aria-label={title}>
      <div className={styles.sectionHead}>
        <h2>{title}</h2>
      </div>
      <dl className={styles.facts}>
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt title={key}>{key}</dt>
            <dd title={value}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
