/** The monitor: is everything alive, and is anything recorded. */

import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useCallback, useEffect, useRef, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { useRecordings } from "@/api/captures";
import { useMayEdit, useMe, useProject } from "@/api/me";
import { SENSOR_TYPES, type Sensor, type SensorState } from "@/api/model";
import { useSensors } from "@/api/sensors";
import { useRound, useTelemetry, useWatch } from "@/telemetry/use-telemetry";
import { demoCommand } from "@/ui/demo-command";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";
import { Icon } from "@/ui/icons";
import { Loading, NothingFound, ProblemNote } from "@/ui/list-states";
import { Select } from "@/ui/select";
import { usePhone } from "@/ui/use-phone";
import { useQueryState } from "@/ui/use-query-state";

import { JournalDialog } from "./journal-dialog";
import { liveSensor, needsAttention } from "./live-sensor";
import { MonitorPanel } from "./monitor-panel";
import { MonitorSummary } from "./monitor-summary";
import styles from "./monitor.module.css";
import { ProposalsLink } from "./proposals-link";
import { SensorTable } from "./sensor-table";
import { SensorTile } from "./sensor-tile";

const STATES = ["online", "delayed", "offline"] as const satisfies readonly SensorState[];

export function MonitorPage(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const sensors = useSensors(project.id);
  const heading = <h1 className={styles.vh}>{t("tab.monitor")}</h1>;
  if (sensors.isPending) {
    return (
      <>
        {heading}
        <Loading rows={6} />
      </>
    );
  }
  // A poll that failed keeps what is on the wall; the header says when the live view is lost.
  if (sensors.data === undefined) {
    return (
      <>
        {heading}
        <ProblemNote title={t("monitor.problem")} problem={explain(sensors.error, t)} onRetry={() => void sensors.refetch()} />
      </>
    );
  }
  return (
    <>
      {heading}
      {sensors.data.length === 0 ? <NoSensors /> : <Wall sensors={sensors.data} />}
    </>
  );
}

function NoSensors(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const me = useMe().data;
  const mayEdit = useMayEdit();
  return (
    <EmptyState
      title={t("monitor.none")}
      text={t("monitor.noneText")}
      hint={t("monitor.noneHint")}
      {...(mayEdit && me !== undefined ? { script: demoCommand("scenario bench --over http", project.name, me.email, window.location.origin) } : {})}
      action={
        <>
          {mayEdit && (
            <Button component={Link} to="../sensors/new" size="sm" variant="filled" leftSection={<Icon name="plus" />}>
              {t("sensor.new")}
            </Button>
          )}{" "}
          <ProposalsLink />
        </>
      }
    />
  );
}

function Wall({ sensors }: { readonly sensors: readonly Sensor[] }): ReactElement {
  const { t } = useTranslation();
  const phone = usePhone();
  const client = useTelemetry();
  const project = useProject();
  const recordings = useRecordings(project.id).data ?? [];
  const recorded = new Set(recordings.flatMap((capture) => capture.sensor_ids));
  const [state, setState] = useQueryState("state");
  const [type, setType] = useQueryState("type");
  const [name, setName] = useQueryState("q");
  const [view, setView] = useQueryState("view");
  const [panel, setPanel] = useQueryState("panel");
  const [journal, setJournal] = useQueryState("journal");
  useWatch(sensors.map((sensor) => ({ id: sensor.id, heartbeatIntervalS: sensor.heartbeat_interval_s })));
  useRound();
  // Kept the same for as long as the wall stands, so that a reading draws its tile and no other.
  const latest = useRef(setJournal);
  useEffect(() => {
    latest.current = setJournal;
  });
  const showJournal = useCallback((id: string) => latest.current(id), []);

  const stateOf = (sensor: Sensor): SensorState => liveSensor(sensor, client.reading(sensor.id)).state;
  const counts: Record<SensorState, number> = { online: 0, delayed: 0, offline: 0, unknown: 0 };
  for (const sensor of sensors) counts[stateOf(sensor)] += 1;
  const fits = (sensor: Sensor): boolean =>
    (state === null || (state === "attention" ? needsAttention(stateOf(sensor)) : stateOf(sensor) === state)) &&
    (type === null || sensor.type === type) &&
    (name === null || sensor.name.toLowerCase().includes(name.toLowerCase()));
  const shown = sensors.filter(fits);
  // On a phone there is no panel: trouble comes first instead.
  const ordered = phone
    ? [...shown.filter((sensor) => needsAttention(stateOf(sensor))), ...shown.filter((sensor) => !needsAttention(stateOf(sensor)))]
    : shown;
  const types = SENSOR_TYPES.filter((each) => sensors.some((sensor) => sensor.type === each));
  const clear = (): void => {
    setState(null);
    setType(null);
    setName(null);
  };

  return (
    <div className={styles.page}>
      <div className={styles.main}>
        <MonitorSummary counts={counts} recording={recordings.at(-1)} />
        <Filters counts={counts} total={sensors.length} state={state} onState={setState} phone={phone}
          type={type} onType={setType} types={types} name={name} onName={setName} view={view} onView={setView} />
        {ordered.length === 0 ? (
          <NothingFound action={<Button onClick={clear}>{t("list.clear")}</Button>}>
            {t("monitor.filtered", {
              what: [state === null ? null : t(`state.${state as SensorState | "attention"}`), type === null ? null : t(`type.${type as Sensor["type"]}`), name].filter(Boolean).join(", "),
            })}
          </NothingFound>
        ) : view === "table" && !phone ? (
          <SensorTable sensors={ordered} recording={recorded} onJournal={setJournal} />
        ) : (
          <ul className={styles.tiles}>
            {ordered.map((sensor) => (
              <SensorTile key={sensor.id} sensor={sensor} recording={recorded.has(sensor.id)} onJournal={showJournal} />
            ))}
          </ul>
        )}
      </div>
      <MonitorPanel projectId={project.id} sensors={sensors} opened={panel !== "closed"} onToggle={() => setPanel(panel === "closed" ? null : "closed")}
        onJournal={setJournal} />
      <JournalDialog sensor={sensors.find((sensor) => sensor.id === journal)} onClose={() => setJournal(null)} />
    </div>
  );
}

interface FiltersProps {
  readonly counts: Readonly<Record<SensorState, number>>;
  readonly total: number;
  readonly phone: boolean;
  readonly state: string | null;
  readonly onState: (state: string | null) => void;
  readonly type: string | null;
  readonly types: readonly Sensor["type"][];
  readonly onType: (type: string | null) => void;
  readonly name: string | null;
  readonly onName: (name: string | null) => void;
  readonly view: string | null;
  readonly onView: (view: string | null) => void;
}

function Filters(props: FiltersProps): ReactElement {
  const { counts, total, phone, state, type, types, name, view } = props;
  const { t } = useTranslation();
  const navigate = useNavigate();
  const mayEdit = useMayEdit();
  const states = phone
    ? [{ value: "attention", label: t("filter.attention", { count: counts.delayed + counts.offline }) }]
    : STATES.map((each) => ({ value: each, label: t(`filter.${each}`, { count: counts[each] }) }));
  return (
    <div className={styles.filters}>
      <SegmentedControl aria-label={t("filter.state")} value={state ?? "all"} onChange={(value) => props.onState(value === "all" ? null : value)}
        data={[{ value: "all", label: t("filter.all", { count: total }) }, ...states]} />
      <Select className={styles.types} aria-label={t("filter.type")} value={type ?? "all"}
        onChange={(value) => props.onType(value === "all" ? null : value)}
        data={[{ value: "all", label: t("filter.allTypes") }, ...types.map((each) => ({ value: each, label: t(`type.${each}`) }))]} />
      <TextInput className={styles.byName} size="xs" aria-label={t("filter.name")} placeholder={t("filter.name")} leftSection={<Icon name="search" size={14} />}
        value={name ?? ""} onChange={(event) => props.onName(event.currentTarget.value)} />
      <span className={styles.spring} />
      <ProposalsLink />
      <SegmentedControl className={styles.view} aria-label={t("filter.view")} value={view ?? "cards"} onChange={(value) => props.onView(value === "cards" ? null : value)}
        data={[{ value: "cards", label: t("view.cards") }, { value: "table", label: t("view.table") }]} />
      {mayEdit && (
        <Button className={styles.add} leftSection={<Icon name="plus" />} onClick={() => void navigate("../sensors/new", { relative: "path" })}>
          {t("sensor.new")}
        </Button>
      )}
    </div>
  );
}
