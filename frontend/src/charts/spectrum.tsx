/** One vector over its axis: a spectrum as an area, its highest line named, and the value under the pointer. */

import { useEffect, useMemo, useRef, useState, type PointerEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { measured } from "@/ui/format";

import styles from "./spectrum.module.css";
import { splits, step125, tickLabels } from "./ticks";

export interface VectorAxis {
  readonly quantity: string;
  readonly unit: string;
  /** Of the first element; 0 where it is not given. */
  readonly start?: number;
  readonly step: number;
  readonly count: number;
}

interface Props {
  readonly axis: VectorAxis;
  readonly values: readonly (number | null)[];
  readonly unit: string;
  readonly label: string;
}

const LEFT = 48;
const RIGHT = 16;
const TOP = 18;
const BOTTOM = 20;
const TICK_PX = 64;
const ROW_PX = 26;

export function Spectrum({ axis, values, unit, label }: Props): ReactElement {
  const { t } = useTranslation();
  const svg = useRef<SVGSVGElement>(null);
  const [size, setSize] = useState({ width: 400, height: 140 });
  const [pointed, setPointed] = useState<number | null>(null);
  useEffect(() => {
    const node = svg.current;
    if (node === null) return;
    const resized = new ResizeObserver(() => setSize({ width: node.clientWidth || 400, height: node.clientHeight || 140 }));
    resized.observe(node);
    return () => resized.disconnect();
  }, []);

  const { width, height } = size;
  const begin = axis.start ?? 0;
  const end = begin + (axis.count - 1) * axis.step;
  const [low, high] = useMemo(() => extent(values), [values]);
  const x = (i: number): number => LEFT + (i / Math.max(1, axis.count - 1)) * (width - LEFT - RIGHT);
  const y = (value: number): number => height - BOTTOM - ((value - low) / (high - low)) * (height - TOP - BOTTOM);
  const line = useMemo(() => pathOf(values, x, y), [values, width, height, low, high]); // eslint-disable-line react-hooks/exhaustive-deps -- x and y are made of these
  const xStep = step125(((end - begin) * TICK_PX) / Math.max(TICK_PX, width - LEFT - RIGHT));
  const yStep = step125(((high - low) * ROW_PX) / Math.max(ROW_PX, height - TOP - BOTTOM));
  const xTicks = splits(begin, end, xStep);
  const yTicks = splits(low, high, yStep);
  const xLabels = tickLabels(xTicks, xStep);
  const yLabels = tickLabels(yTicks, yStep);
  const shown = pointed ?? highest(values);
  const point = (event: PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const i = Math.round(((event.clientX - box.left - LEFT) / (width - LEFT - RIGHT)) * (axis.count - 1));
    setPointed(i >= 0 && i < values.length ? i : null);
  };
  const value = shown === null ? null : (values[shown] ?? null);
  const at = shown === null ? null : begin + shown * axis.step;
  return (
    <figure className={styles.spectrum} aria-label={label}>
      <svg ref={svg} className={styles.svg} role="img" aria-label={at === null ? label : t("spectrum.highest", { at: measured(at), unit: axis.unit })}
        onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        {yTicks.map((tick, i) => (
          <g key={tick}>
            <path d={`M${LEFT} ${y(tick)}H${width - RIGHT}`} stroke="var(--chart-grid)" />
            <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end" className={styles.tick}>{yLabels[i]}</text>
          </g>
        ))}
        {xTicks.map((tick, i) => (
          <text key={tick} x={x((tick - begin) / axis.step)} y={height - 5} textAnchor="middle" className={styles.tick}>
            {i === xTicks.length - 1 ? `${xLabels[i] ?? ""} ${axis.unit}` : xLabels[i]}
          </text>
        ))}
        <path d={line === "" ? "" : `${line}L${x(values.length - 1)} ${y(low)}L${x(0)} ${y(low)}Z`} className={styles.area} />
        <path d={line} className={styles.line} />
        {shown !== null && value !== null && (
          <>
            {pointed !== null && <path d={`M${x(shown)} ${TOP}V${height - BOTTOM}`} stroke="var(--ink-2)" />}
            <circle cx={x(shown)} cy={y(value)} r={3} className={styles.dot} />
          </>
        )}
      </svg>
      {at !== null && (
        <figcaption className={styles.readout}>
          {label} <b>{measured(at)}</b> {axis.unit} <b>{measured(value)}</b> {unit}
        </figcaption>
      )}
    </figure>
  );
}

/** Where the value range begins and ends: from zero where nothing is below, never empty. */
function extent(values: readonly (number | null)[]): readonly [number, number] {
  let low = 0;
  let high = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high > low ? [low, high] : [low, low + 1];
}

function highest(values: readonly (number | null)[]): number | null {
  let found: number | null = null;
  values.forEach((value, i) => {
    if (value !== null && (found === null || value > (values[found] ?? -Infinity))) found = i;
  });
  return found;
}

/** A line through the values; elements without one leave a gap. */
function pathOf(values: readonly (number | null)[], x: (i: number) => number, y: (value: number) => number): string {
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null) pen = "M";
    else {
      path += `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  });
  return path;
}
