/** The whole run under the charts: captures as bars, a line per sensor, and the chart window as a brush. */

import { useEffect, useRef, useState, type PointerEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { clock, span } from "@/ui/format";

import type { Band } from "./bands";
import styles from "./lanes.module.css";
import type { CursorTime } from "./sync";
import { timeLabel, timeSplits, timeStep } from "./ticks";
import { type LaneSensor, usePresence } from "./use-presence";

export interface LaneBand extends Band {
  readonly label: string;
  /** Where it will stop by itself; null when nobody knows. */
  readonly until: number | null;
  readonly title: string;
}

interface Props {
  readonly sensors: readonly LaneSensor[];
  readonly bands: readonly LaneBand[];
  /** Seconds since 1970: what the lanes show. */
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly windowFrom: number;
  readonly windowTo: number;
  readonly cursor: CursorTime;
  readonly onBrush: (from: number, to: number) => void;
  readonly onBand: (id: string) => void;
}

const AXIS = 28;
const CAPTURES = 24;
const ROW = 18;
const LEFT = 112;
const LEFT_PHONE = 84;

export function Lanes(props: Props): ReactElement {
  const { sensors, bands, from, to, now, cursor } = props;
  const { t } = useTranslation();
  const svg = useRef<SVGSVGElement>(null);
  const line = useRef<SVGPathElement>(null);
  const [width, setWidth] = useState(1000);
  const presence = usePresence(sensors, from, Math.min(to, now));
  const left = width < 600 ? LEFT_PHONE : LEFT;
  const height = AXIS + CAPTURES + sensors.length * ROW + 10;
  const scale = (width - left) / Math.max(1e-3, to - from);
  const x = (at: number): number => left + (Math.max(from, Math.min(to, at)) - from) * scale;

  useEffect(() => {
    const node = svg.current;
    if (node === null) return;
    const resized = new ResizeObserver(() => setWidth(node.clientWidth || 1000));
    resized.observe(node);
    return () => resized.disconnect();
  }, []);
  useEffect(
    () =>
      cursor.on((at) => {
        const shown = at !== null && at >= from && at <= to;
        line.current?.setAttribute("d", shown ? `M${left + (at - from) * scale} ${AXIS - 6}V${height}` : "");
      }),
    [cursor, from, to, left, scale, height],
  );

  const step = timeStep(to - from, width - left);
  return (
    <section className={styles.lanes} aria-label={t("lanes.label")}>
      <svg ref={svg} width="100%" height={height} className={styles.svg}>
        {timeSplits(from, to, step).map((tick) => (
          <g key={tick}>
            <path d={`M${x(tick)} ${AXIS - 6}V${height}`} stroke="var(--chart-grid)" />
            {x(tick) > left + 16 && x(tick) < width - 16 && (
              <text x={x(tick)} y={15} textAnchor="middle" className={styles.tick}>
                {timeLabel(tick, step)}
              </text>
            )}
          </g>
        ))}
        <text x={16} y={AXIS + 15} className={styles.label}>
          {t("lanes.captures")}
        </text>
        <Brush {...props} x={x} left={left} width={width} height={height} />
        {bands.map((band) => (
          <CaptureBar key={band.id} band={band} x={x} now={now} onOpen={() => props.onBand(band.id)} />
        ))}
        <path d={`M0 ${AXIS + CAPTURES - 0.5}H${width}`} stroke="var(--rule)" />
        {sensors.map((sensor, i) => {
          const y = AXIS + CAPTURES + i * ROW + ROW / 2;
          return (
            <g key={sensor.id}>
              <text x={16} y={y + 4} className={styles.label}>
                <title>{sensor.name}</title>
                {shorten(sensor.name, width < 600 ? 10 : 14)}
              </text>
              {(presence.get(sensor.id)?.present ?? []).map((part) => (
                <path key={part.from} d={`M${x(part.from)} ${y}H${Math.max(x(part.from) + 1, x(Math.min(part.to, now)))}`} stroke="var(--none-mark)" strokeOpacity={0.5} strokeWidth={4} />
              ))}
              {(presence.get(sensor.id)?.absent ?? []).map((part) => (
                <path key={part.from} d={`M${x(part.from)} ${y}H${x(Math.min(part.to, now))}`} stroke="var(--bad-mark)" strokeWidth={1.5}>
                  <title>{t("chart.noData", { time: span(Math.min(part.to, now) - part.from) })}</title>
                </path>
              ))}
            </g>
          );
        })}
        <path ref={line} stroke="var(--ink-2)" className={styles.through} />
      </svg>
    </section>
  );
}

const shorten = (name: string, most: number): string => (name.length <= most ? name : `${name.slice(0, most - 1).replace(/[\s,.;:]+$/, "")}…`);

interface BarProps {
  readonly band: LaneBand;
  readonly x: (at: number) => number;
  readonly now: number;
  readonly onOpen: () => void;
}

function CaptureBar({ band, x, now, onOpen }: BarProps): ReactElement {
  const left = x(band.from);
  const end = band.status === "running" ? now : band.to;
  const width = Math.max(2, x(end) - left);
  const y = AXIS + 3;
  return (
    <g className={styles.bar} data-status={band.status} role="button" tabIndex={0} aria-label={band.title}
      onClick={onOpen} onKeyDown={(event) => event.key === "Enter" && onOpen()}>
      <title>{band.title}</title>
      {band.until !== null && band.status === "running" && (
        <rect x={left + width} y={y + 0.5} width={Math.max(0, x(band.until) - left - width)} height={15} rx={2} className={styles.until} />
      )}
      <rect x={left} y={y} width={width} height={16} rx={2} className={styles.fill} />
      {width > 22 && (
        <text x={left + 8} y={y + 12}>
          {width > 72 ? band.label : band.label.split(" ")[0]}
        </text>
      )}
    </g>
  );
}

interface BrushProps extends Props {
  readonly x: (at: number) => number;
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

interface Drag {
  readonly part: "from" | "to" | "all";
  readonly startX: number;
  readonly from: number;
  readonly to: number;
}

/** The chart window, to be moved or resized by pointer or arrow keys. */
function Brush({ from, to, windowFrom, windowTo, onBrush, x, left, width, height }: BrushProps): ReactElement {
  const { t } = useTranslation();
  const [drag, setDrag] = useState<Drag | null>(null);
  const x0 = x(windowFrom);
  const x1 = Math.max(x0 + 4, x(windowTo));
  const perPixel = (to - from) / Math.max(1, width - left);
  const begin = (part: Drag["part"]) => (event: PointerEvent<SVGElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ part, startX: event.clientX, from: windowFrom, to: windowTo });
  };
  const move = (event: PointerEvent<SVGElement>): void => {
    if (drag === null || Math.abs(event.clientX - drag.startX) < 2) return;
    const by = (event.clientX - drag.startX) * perPixel;
    const least = Math.max(1, 6 * perPixel);
    if (drag.part === "from") onBrush(Math.min(drag.from + by, drag.to - least), drag.to);
    else if (drag.part === "to") onBrush(drag.from, Math.max(drag.to + by, drag.from + least));
    else onBrush(drag.from + by, drag.to + by);
  };
  const onKey = (event: React.KeyboardEvent): void => {
    const by = ((windowTo - windowFrom) / 4) * (event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0);
    if (by === 0) return;
    event.preventDefault();
    onBrush(windowFrom + by, windowTo + by);
  };
  const common = { onPointerMove: move, onPointerUp: () => setDrag(null), onPointerCancel: () => setDrag(null) };
  return (
    <g>
      <rect x={x0} y={AXIS - 6} width={x1 - x0} height={height - AXIS + 6} className={styles.brush} role="slider" tabIndex={0}
        aria-label={t("lanes.window")} aria-valuemin={Math.round(from)} aria-valuemax={Math.round(to)} aria-valuenow={Math.round(windowTo)}
        aria-valuetext={`${clock(windowFrom)} – ${clock(windowTo)}`} onKeyDown={onKey} onPointerDown={begin("all")} {...common} />
      <rect x={x0 - 2} y={height / 2 + 2} width={4} height={16} rx={1} className={styles.handle} onPointerDown={begin("from")} {...common} />
      <rect x={x1 - 2} y={height / 2 + 2} width={4} height={16} rx={1} className={styles.handle} onPointerDown={begin("to")} {...common} />
    </g>
  );
}
