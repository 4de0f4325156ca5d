/** One sensor's chart: its legend is its head, its curve lives in the engine. */

import "uplot/dist/uPlot.min.css";

import { Tooltip, UnstyledButton } from "@mantine/core";
import { lazy, Suspense, useEffect, useRef, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { OpenView } from "@/telemetry/client";
import type { ViewData, ViewWindow } from "@/telemetry/protocol";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { fixed, measured, span } from "@/ui/format";
import { Icon } from "@/ui/icons";

import type { Band } from "./bands";
import type { Layers, Lock, PlotEngine, Readout } from "./plot-engine";
import styles from "./sensor-chart.module.css";
import type { VectorAxis } from "./spectrum";
import type { CursorTime } from "./sync";
import { decimalsOf, step125 } from "./ticks";
import { useEngineModule } from "./use-engine-module";

/** Few sensors send vectors: their chart comes when one does. */
const LastSpectrum = lazy(() => import("./last-spectrum").then((module) => ({ default: module.LastSpectrum })));

export interface ChartSensor {
  readonly id: string;
  readonly name: string;
  readonly inputUnit: string;
  readonly displayUnit: string;
  /** Of a sensor whose samples are vectors: the curve is then that of their greatest elements. */
  readonly axis: VectorAxis | null;
}

interface Props {
  readonly sensor: ChartSensor;
  readonly window: ViewWindow;
  readonly bands: readonly Band[];
  readonly layers: Layers;
  readonly lock: Lock | null;
  readonly expanded: boolean;
  readonly mayReadRaw: boolean;
  readonly cursor: CursorTime;
  readonly syncKey: string;
  readonly onLayers: (layers: Layers) => void;
  readonly onLock: (lock: Lock | null) => void;
  readonly onExpand: () => void;
  readonly onZoom: (from: number, to: number) => void;
}

interface Selection {
  readonly from: number;
  readonly to: number;
  readonly left: number;
}

const EMPTY: Readout = { at: null, physical: null, raw: null };
const PIXELS_STEP = 50;

export function SensorChart(props: Props): ReactElement {
  const { sensor, window, bands, layers, lock, cursor, syncKey } = props;
  const { t } = useTranslation();
  const client = useTelemetry();
  const host = useRef<HTMLDivElement>(null);
  const chip = useRef<HTMLDivElement>(null);
  const engineModule = useEngineModule();
  const engine = useRef<PlotEngine | null>(null);
  /** What came last, for an engine that is made later. */
  const newest = useRef<ViewData | null>(null);
  const view = useRef<OpenView | null>(null);
  const [readout, setReadout] = useState<Readout>(EMPTY);
  const [problem, setProblem] = useState<string | null>(null);
  const [empty, setEmpty] = useState(false);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [pixels, setPixels] = useState(800);

  useEffect(() => {
    if (engineModule === null || host.current === null || chip.current === null) return;
    const made = new engineModule.PlotEngine({
      host: host.current,
      chip: chip.current,
      cursor,
      syncKey,
      nowS: () => client.nowS(),
      events: {
        readout: setReadout,
        selected: (from, to, left) => setSelection({ from, to, left }),
        noData: (seconds) => t("chart.noData", { time: seconds < 120 ? t("duration.s", { n: fixed(seconds, 0) }) : span(seconds) }),
      },
    });
    engine.current = made;
    if (newest.current !== null) made.setData(newest.current);
    const measure = (): void => setPixels(Math.ceil(made.pixels / PIXELS_STEP) * PIXELS_STEP);
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(host.current);
    return () => {
      resized.disconnect();
      made.destroy();
      engine.current = null;
    };
  }, [engineModule, client, cursor, syncKey, t]);

  useEffect(() => {
    const spec = { sensorId: sensor.id, window, pixels };
    if (view.current === null) {
      view.current = client.open(spec, (data) => {
        newest.current = data;
        engine.current?.setData(data);
        setProblem(data.problem);
        setEmpty(data.t.length === 0 && !data.loading);
      });
    } else view.current.update(spec);
  }, [client, sensor.id, window, pixels]);
  useEffect(
    () => () => {
      view.current?.close();
      view.current = null;
    },
    [client],
  );
  useEffect(() => {
    engine.current?.setWindow(
      window.kind === "live" ? { to: null, spanS: window.windowS } : { to: window.to, spanS: window.to - window.from },
    );
  }, [engineModule, t, window]);
  useEffect(() => engine.current?.setBands(bands), [engineModule, t, bands]);
  useEffect(() => engine.current?.setLayers(layers, lock), [engineModule, t, layers, lock]);

  const lockable = layers.physical ? "physical" : "raw";
  const toggleLock = (): void => {
    const range = engine.current?.rangeOf(lockable);
    if (lock !== null) props.onLock(null);
    else if (range) props.onLock({ layer: lockable, min: range.min, max: range.max });
  };
  return (
    <section className={styles.chart} aria-label={sensor.name} data-expanded={props.expanded || undefined}>
      <div className={styles.head}>
        <h2 className={styles.name} title={sensor.name}>
          {sensor.name}
        </h2>
        <Layer kind="physical" of={sensor.name} shown={layers.physical} value={readout.physical} unit={sensor.displayUnit}
          onToggle={() => props.onLayers({ ...layers, physical: !layers.physical })} />
        {props.mayReadRaw && (
          <Layer kind="raw" of={sensor.name} shown={layers.raw} value={readout.raw} unit={sensor.inputUnit}
            onToggle={() => props.onLayers({ ...layers, raw: !layers.raw })} />
        )}
        <span className={styles.tools}>
          <Tooltip label={lock === null ? t("chart.lock") : t("chart.locked", { range: rangeText(lock), unit: lock.layer === "physical" ? sensor.displayUnit : sensor.inputUnit })}>
            <UnstyledButton className={styles.tool} aria-pressed={lock !== null} aria-label={t("chart.lockOf", { name: sensor.name })} onClick={toggleLock}>
              <Icon name={lock === null ? "unlock" : "lock"} size={14} />
            </UnstyledButton>
          </Tooltip>
          <Tooltip label={props.expanded ? t("chart.shrink") : t("chart.expand")}>
            <UnstyledButton className={styles.tool} aria-pressed={props.expanded} aria-label={t("chart.expandOf", { name: sensor.name })} onClick={props.onExpand}>
              <Icon name={props.expanded ? "shrink" : "expand"} size={14} />
            </UnstyledButton>
          </Tooltip>
        </span>
      </div>
      <div className={styles.plot} data-shared={sensor.axis !== null || undefined}>
        <div ref={host} className={styles.host} />
        <div ref={chip} className={styles.chip} hidden />
        {problem !== null && <p className={styles.note} role="alert">{t("chart.problem", { reason: problem })}</p>}
        {problem === null && empty && <p className={styles.note}>{t("chart.empty")}</p>}
        {selection !== null && (
          <SelectionMenu selection={selection} onClose={() => setSelection(null)} onZoom={props.onZoom} />
        )}
      </div>
      {sensor.axis !== null && (
        <Suspense fallback={<div className={styles.coming} />}>
          <LastSpectrum sensorId={sensor.id} axis={sensor.axis} unit={sensor.displayUnit} window={window} />
        </Suspense>
      )}
    </section>
  );
}

function rangeText(lock: Lock): string {
  const decimals = decimalsOf(step125((lock.max - lock.min) / 8));
  return `${fixed(lock.min, decimals)} … ${fixed(lock.max, decimals)}`;
}

interface LayerProps {
  readonly kind: "physical" | "raw";
  /** The sensor's name. */
  readonly of: string;
  readonly shown: boolean;
  readonly value: number | null;
  readonly unit: string;
  readonly onToggle: () => void;
}

function Layer({ kind, of, shown, value, unit, onToggle }: LayerProps): ReactElement {
  const { t } = useTranslation();
  const reading = measured(value, kind === "raw" ? 5 : 4);
  return (
    <UnstyledButton className={styles.layer} aria-pressed={shown} data-kind={kind} onClick={onToggle} title={t("chart.toggle")}
      aria-label={`${t(`layer.${kind}`)}${shown ? ` ${reading} ${unit}` : ""}, ${of}`}>
      <svg width={18} height={2} aria-hidden="true">
        <path d="M0 1h18" stroke={shown ? `var(--${kind})` : "var(--none-mark)"} strokeWidth={2} strokeDasharray={kind === "raw" ? "5 3" : undefined} />
      </svg>
      <span className={styles.layerName}>{t(`layer.${kind}`)}</span>
      {shown && (
        <>
          <b>{reading}</b>
          <span className={styles.unit}>{unit}</span>
        </>
      )}
    </UnstyledButton>
  );
}

interface SelectionProps {
  readonly selection: Selection;
  readonly onClose: () => void;
  readonly onZoom: (from: number, to: number) => void;
}

function SelectionMenu({ selection, onClose, onZoom }: SelectionProps): ReactElement {
  const { t } = useTranslation();
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const { from, to, left } = selection;
  const zoom = (): void => {
    onClose();
    onZoom(from, to);
  };
  const copy = (): void => {
    onClose();
    void navigator.clipboard.writeText(`${new Date(from * 1000).toISOString()}/${new Date(to * 1000).toISOString()}`);
  };
  return (
    <div className={styles.menu} role="menu" aria-label={t("chart.selection")} style={{ left: `min(${left}px, calc(100% - 180px))` }} tabIndex={-1}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) onClose();
      }}>
      <UnstyledButton ref={first} role="menuitem" onClick={zoom}>
        <Icon name="search" size={14} /> {t("chart.zoom")}
      </UnstyledButton>
      <UnstyledButton role="menuitem" onClick={copy}>
        <Icon name="copy" size={14} /> {t("chart.copy")}
      </UnstyledButton>
    </div>
  );
}
