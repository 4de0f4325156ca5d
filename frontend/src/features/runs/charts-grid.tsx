/** Up to four charts of a run and its lanes, all on one window and one cursor. */

import type { TFunction } from "i18next";
import { useCallback, useMemo, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Capture, Run, Sensor } from "@/api/model";
import { Lanes, type LaneBand } from "@/charts/lanes";
import type { Layers } from "@/charts/plot-engine";
import { SensorChart } from "@/charts/sensor-chart";
import { CursorTime } from "@/charts/sync";
import type { ViewWindow } from "@/telemetry/protocol";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { clock, seconds, span } from "@/ui/format";
import { useNow } from "@/ui/use-now";
import { usePhone } from "@/ui/use-phone";

import styles from "./run.module.css";
import { isExpanded, type RunView } from "./view-state";

interface Props {
  readonly run: Run;
  readonly sensors: readonly Sensor[];
  readonly captures: readonly Capture[];
  readonly view: RunView;
  readonly window: ViewWindow;
  readonly onCapture: (id: string) => void;
}

const PHONE_CHARTS = 2;
const LANE_SENSORS = 4;
const AHEAD = 0.04;
const LEAST_LANES_S = 300;

export function ChartsGrid({ run, sensors, captures, view, window, onCapture }: Props): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const phone = usePhone();
  const cursor = useMemo(() => new CursorTime(), []);
  const now = useNow(useCallback(() => client.nowS(), [client]));
  const bands = useMemo(() => bandsOf(captures, t), [captures, t]);
  const bound = run.sensors.map((each) => each.sensor_id);
  const byId = new Map(sensors.map((sensor) => [sensor.id, sensor]));
  const chosen = view.charts(bound);
  const expanded = chosen.find((id) => isExpanded(view.state, id));
  const charts = expanded === undefined ? chosen.slice(0, phone ? PHONE_CHARTS : chosen.length) : [expanded];
  const started = run.started_at === null ? null : seconds(run.started_at);
  const ended = run.finished_at === null ? now : seconds(run.finished_at);
  const firstBand = Math.min(...bands.map((band) => band.from), Infinity);
  const from = Math.min(started ?? now, firstBand);
  const lastBand = Math.max(...bands.map((band) => band.until ?? -Infinity), -Infinity);
  // A run that has just begun is given room, so that its first minutes do not race across the lanes.
  const room = run.finished_at === null ? from + LEAST_LANES_S : 0;
  const to = Math.max(Math.max(ended, lastBand) + AHEAD * (ended - from), room);
  const [shownFrom, shownTo] = window.kind === "live" ? [now - window.windowS, now] : [window.from, window.to];
  const laneSensors = useMemo(
    () => run.sensors.slice(0, LANE_SENSORS).map(({ sensor_id: id }) => ({ id, name: sensors.find((s) => s.id === id)?.name ?? id })),
    [run.sensors, sensors],
  );

  return (
    <>
      <div className={styles.charts} data-count={charts.length}>
        {charts.map((id) => (
          <BoundChart key={id} id={id} sensor={byId.get(id)} syncKey={run.id} bands={bands} cursor={cursor} view={view} window={window} expanded={id === expanded} />
        ))}
        {charts.length === 0 && <p className={styles.noCharts}>{t("run.noCharts")}</p>}
      </div>
      {started !== null && (
        <Lanes sensors={laneSensors} bands={bands} from={from} to={to} now={Math.min(now, ended)} windowFrom={Math.max(from, shownFrom)}
          windowTo={Math.min(to, shownTo)} cursor={cursor} onBrush={view.fix} onBand={onCapture} />
      )}
    </>
  );
}

interface BoundChartProps extends Pick<Props, "view" | "window"> {
  readonly id: string;
  readonly sensor: Sensor | undefined;
  readonly syncKey: string;
  readonly bands: readonly LaneBand[];
  readonly cursor: CursorTime;
  readonly expanded: boolean;
}

function BoundChart({ id, sensor, view, expanded, ...rest }: BoundChartProps): ReactElement {
  const layers = view.layersOf(id);
  const lock = view.lockOf(id);
  // One object per content: the chart redraws when these change, not when the page does.
  const stableLayers = useMemo<Layers>(() => ({ physical: layers.physical, raw: layers.raw }), [layers.physical, layers.raw]);
  const lockKey = JSON.stringify(lock);
  const stableLock = useMemo(() => JSON.parse(lockKey) as typeof lock, [lockKey]);
  const name = sensor?.name ?? id.slice(0, 8);
  const axisKey = JSON.stringify(sensor?.axis ?? null);
  const axis = useMemo(() => JSON.parse(axisKey) as Sensor["axis"], [axisKey]);
  const shown = useMemo(
    () => ({ id, name, inputUnit: sensor?.input_unit ?? "", displayUnit: sensor?.display_unit ?? "", axis }),
    [id, name, sensor?.input_unit, sensor?.display_unit, axis],
  );
  return (
    <SensorChart {...rest} sensor={shown} layers={stableLayers} lock={stableLock} expanded={expanded}
      mayReadRaw={sensor === undefined || sensor.last_t === null || sensor.last_raw !== undefined}
      onLayers={(next) => view.setLayers(id, next)} onLock={(next) => view.setLock(id, next)}
      onExpand={() => view.expand(expanded ? null : id)} onZoom={view.fix} />
  );
}

function bandsOf(captures: readonly Capture[], t: TFunction): LaneBand[] {
  return captures.flatMap((capture) => {
    if (capture.started_at === null) return [];
    const from = seconds(capture.started_at);
    const to = capture.stopped_at === null ? Infinity : seconds(capture.stopped_at);
    const word = t(`status.${capture.status}`);
    const length = Number.isFinite(to) ? `, ${clock(from)}–${clock(to)}, ${span(to - from)}` : `, ${clock(from)}`;
    return [
      {
        id: capture.id,
        status: capture.status,
        from,
        to,
        until: capture.auto_stop_at === null ? null : seconds(capture.auto_stop_at),
        label: `${capture.ordinal_number} ${word}`,
        title: `${t("capture.numbered", { number: capture.ordinal_number })}, ${word}${length}, ${capture.initiated_by.name}`,
      },
    ];
  });
}
