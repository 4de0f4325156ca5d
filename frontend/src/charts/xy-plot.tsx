/** Lines and points over a common axis, drawn as they are: curves of profiles, samples before and after. */

import { useElementSize } from "@mantine/hooks";
import type { ReactElement } from "react";

import { splits, step125, tickLabels } from "./ticks";
import styles from "./xy-plot.module.css";

export interface Line {
  readonly key: string;
  /** Neighbours without a value between them are not joined. */
  readonly points: readonly (readonly [number, number | null])[];
  readonly tone: "physical" | "quiet" | "ink";
  readonly dashed?: boolean;
}

interface Props {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly dots?: readonly (readonly [number, number])[];
  /** The point that holds now, with its words. */
  readonly mark?: { readonly x: number; readonly y: number; readonly text: string } | null;
  readonly height?: number;
  /** Where the axis is one of time, or of something else than plain numbers. */
  readonly xAxis?: { readonly ticks: (min: number, max: number, width: number) => readonly number[]; readonly label: (x: number) => string };
}

const LEFT = 56;
const BOTTOM = 20;
const TOP = 8;
const RIGHT = 12;
const ROOM = 0.04;

export function XyPlot({ label, lines, dots = [], mark = null, height = 240, xAxis }: Props): ReactElement {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const all = [...lines.flatMap((line) => line.points), ...dots].filter((point): point is readonly [number, number] => point[1] !== null);
  const [x0, x1] = extent(all.map(([x]) => x), 0);
  const [y0, y1] = extent([...all.map(([, y]) => y), ...(mark === null ? [] : [mark.y])], ROOM);
  const w = Math.max(1, width - LEFT - RIGHT);
  const h = height - TOP - BOTTOM;
  const px = (x: number): number => LEFT + ((x - x0) / (x1 - x0)) * w;
  const py = (y: number): number => TOP + h - ((y - y0) / (y1 - y0)) * h;
  const yStep = step125(((y1 - y0) * 40) / h);
  const yTicks = splits(y0, y1, yStep);
  const yLabels = tickLabels(yTicks, yStep);
  const xStep = step125(((x1 - x0) * 90) / w);
  const xTicks = xAxis === undefined ? splits(x0, x1, xStep) : xAxis.ticks(x0, x1, w);
  const xLabels = xAxis === undefined ? tickLabels(xTicks, xStep) : xTicks.map(xAxis.label);
  return (
    <div ref={ref} className={styles.plot} style={{ height }}>
      {width > 0 && all.length > 0 && (
        <svg width={width} height={height} role="img" aria-label={label}>
          {yTicks.map((y, i) => (
            <g key={y}>
              <path d={`M${LEFT} ${py(y)}h${w}`} className={styles.grid} />
              <text x={LEFT - 8} y={py(y) + 4} textAnchor="end">{yLabels[i]}</text>
            </g>
          ))}
          {xTicks.map((x, i) => (
            <g key={x}>
              <path d={`M${px(x)} ${TOP}v${h}`} className={styles.grid} />
              <text x={px(x)} y={height - 4} textAnchor="middle">{xLabels[i]}</text>
            </g>
          ))}
          {lines.map((line) => (
            <path key={line.key} d={path(line.points, px, py)} className={styles.line} data-tone={line.tone} data-dashed={line.dashed ?? undefined} />
          ))}
          {mark !== null && mark.x >= x0 && mark.x <= x1 && (
            <g className={styles.mark}>
              <path d={`M${LEFT} ${py(mark.y)}H${px(mark.x)}V${TOP + h}`} />
              <circle cx={px(mark.x)} cy={py(mark.y)} r={4} />
              <text x={px(mark.x) + (px(mark.x) > LEFT + w / 2 ? -8 : 8)} y={py(mark.y) + 18} textAnchor={px(mark.x) > LEFT + w / 2 ? "end" : "start"}>{mark.text}</text>
            </g>
          )}
          {dots.map(([x, y], i) => (
            <circle key={`${x} ${y} ${i}`} cx={px(x)} cy={py(y)} r={4} className={styles.dot} />
          ))}
        </svg>
      )}
    </div>
  );
}

/** The span of numbers, a little wider by `room`; of a single number a span around it. */
export function extent(values: readonly number[], room: number): [number, number] {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!(min <= max)) return [0, 1];
  const span = max - min || Math.abs(max) || 1;
  return min === max ? [min - span / 2, max + span / 2] : [min - room * span, max + room * span];
}

function path(points: Line["points"], px: (x: number) => number, py: (y: number) => number): string {
  let drawn = false;
  return points
    .map(([x, y]) => {
      if (y === null) {
        drawn = false;
        return "";
      }
      const step = `${drawn ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
      drawn = true;
      return step;
    })
    .join("");
}
