/** Draws what lies behind and above the curves: capture bands with their ribbons, and the hatch where no data came. */

import type uPlot from "uplot";

import type { Gap } from "@/telemetry/gaps";

import { CANVAS_FONT, type Palette } from "./palette";

export interface Band {
  readonly id: string;
  readonly status: string;
  /** Seconds since 1970. */
  readonly from: number;
  /** Infinity while it runs. */
  readonly to: number;
}

const RIBBON_PX = 3;
const HATCH_PX = 6;
const LABEL_ROOM_PX = 70;

interface Span {
  readonly left: number;
  readonly right: number;
  readonly startsInside: boolean;
}

/** A span of time in canvas pixels, cut to the plot; null outside. */
function spanOf(u: uPlot, from: number, to: number): Span | null {
  const { left, width } = u.bbox;
  const x0 = u.valToPos(from, "x", true);
  const x1 = Number.isFinite(to) ? u.valToPos(to, "x", true) : left + width;
  if (x1 <= left || x0 >= left + width) return null;
  return { left: Math.max(left, x0), right: Math.min(left + width, x1), startsInside: x0 >= left };
}

export function fillBands(u: uPlot, bands: readonly Band[], palette: Palette, nowS: number): void {
  const { ctx } = u;
  const { top, height } = u.bbox;
  for (const band of bands) {
    const span = spanOf(u, band.from, band.status === "running" ? nowS : band.to);
    if (span === null) continue;
    const failed = band.status === "failed";
    ctx.fillStyle = band.status === "running" ? palette.runningBand : failed ? palette.failedBand : palette.finishedBand;
    ctx.fillRect(span.left, top, span.right - span.left, height);
  }
}

export function drawRibbons(u: uPlot, bands: readonly Band[], palette: Palette, nowS: number): void {
  const { ctx } = u;
  const { top, height } = u.bbox;
  const ratio = devicePixelRatio;
  for (const band of bands) {
    const span = spanOf(u, band.from, band.status === "running" ? nowS : band.to);
    if (span === null) continue;
    const running = band.status === "running";
    ctx.fillStyle = running ? palette.okMark : band.status === "failed" ? palette.badMark : palette.noneMark;
    ctx.fillRect(span.left, top, span.right - span.left, RIBBON_PX * ratio);
    if (span.startsInside) ctx.fillRect(Math.round(span.left), top, Math.max(1, Math.round(ratio)), height);
  }
}

const hatches = new Map<string, CanvasPattern>();

function hatch(ctx: CanvasRenderingContext2D, color: string): CanvasPattern | null {
  const size = HATCH_PX * Math.max(1, Math.round(devicePixelRatio));
  const key = `${color}/${size}`;
  const known = hatches.get(key);
  if (known !== undefined) return known;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (pen === null) return null;
  pen.strokeStyle = color;
  pen.lineWidth = Math.max(1, Math.round(devicePixelRatio));
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  if (pattern !== null) hatches.set(key, pattern);
  return pattern;
}

export function hatchGaps(
  u: uPlot,
  gaps: readonly Gap[],
  palette: Palette,
  nowS: number,
  label: (seconds: number) => string,
): void {
  const { ctx } = u;
  const { top, height, left, width } = u.bbox;
  for (const gap of gaps) {
    const to = Math.min(gap.to, nowS);
    const span = spanOf(u, gap.from, to);
    if (span === null || span.right - span.left < 1) continue;
    const pattern = hatch(ctx, palette.ruleStrong);
    if (pattern === null) continue;
    ctx.fillStyle = pattern;
    ctx.fillRect(span.left, top, span.right - span.left, height);
    const room = Math.min(left + width, span.left + LABEL_ROOM_PX * devicePixelRatio) > span.left;
    if (!room || span.right - span.left < 12 * devicePixelRatio) continue;
    ctx.save();
    ctx.font = CANVAS_FONT.replace("11px", `${11 * devicePixelRatio}px`);
    const text = label(to - gap.from);
    const size = ctx.measureText(text).width;
    const x = Math.min(Math.max(left, (span.left + span.right - size) / 2), left + width - size);
    ctx.fillStyle = palette.bg;
    ctx.fillRect(x - 3 * devicePixelRatio, top + 6 * devicePixelRatio, size + 6 * devicePixelRatio, 16 * devicePixelRatio);
    ctx.fillStyle = palette.ink2;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(text, x, top + 14 * devicePixelRatio);
    ctx.restore();
  }
}

/** Gaps as pixel pairs in order, so that uPlot leaves them out of the line; `nulls` are its own, where values lack. */
export function gapPixels(u: uPlot, gaps: readonly Gap[], nulls: uPlot.Series.Gaps): uPlot.Series.Gaps {
  const { left, width } = u.bbox;
  const pixels: [number, number][] = [...nulls];
  for (const gap of gaps) {
    const from = u.valToPos(gap.from, "x", true);
    const to = Number.isFinite(gap.to) ? u.valToPos(gap.to, "x", true) : left + width;
    if (to >= left && from <= left + width && to > from) pixels.push([Math.max(left, from), Math.min(left + width, to)]);
  }
  // uPlot clips between one gap's end and the next one's start: where they overlap they are one.
  const joined: [number, number][] = [];
  for (const [from, to] of pixels.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}
