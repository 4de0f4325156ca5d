/** One uPlot for one sensor: created once, then fed data, window, bands and layers; draws only when something moved. */

import uPlot from "uplot";

import type { ViewData } from "@/telemetry/protocol";
import { clock, clockTenths } from "@/ui/format";

import { type Band, drawRibbons, fillBands, gapPixels, hatchGaps } from "./bands";
import { CANVAS_FONT, type Palette, readPalette } from "./palette";
import { type AxisRange, lockedRange, settled } from "./range";
import { type CursorTime, onFrame } from "./sync";
import { splits, tickLabels, timeLabel, timeSplits, timeStep } from "./ticks";

export interface PlotWindow {
  /** Null: ends now, by the hub's clock. */
  readonly to: number | null;
  readonly spanS: number;
}

export interface Layers {
  readonly physical: boolean;
  readonly raw: boolean;
}

export interface Lock {
  readonly layer: "physical" | "raw";
  readonly min: number;
  readonly max: number;
}

export interface Readout {
  /** Null: not under the pointer, the newest values. */
  readonly at: number | null;
  readonly physical: number | null;
  readonly raw: number | null;
}

export interface EngineEvents {
  readonly readout: (readout: Readout) => void;
  readonly selected: (from: number, to: number, leftPx: number) => void;
  readonly noData: (seconds: number) => string;
}

interface Options {
  readonly host: HTMLElement;
  readonly chip: HTMLElement;
  readonly cursor: CursorTime;
  readonly syncKey: string;
  readonly nowS: () => number;
  readonly events: EngineEvents;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- declared as an enum whose values exist in types only
const RIGHT: Pick<uPlot.Axis, "side"> = { side: 1 };
const AXIS_PX = 48;
const TIME_AXIS_PX = 28;
const CHIP_HALF_PX = 46;
const TICK_PX = 26;
const READOUT_MS = 250;

export class PlotEngine {
  private readonly u: uPlot;
  private palette: Palette = readPalette();
  private data: ViewData | null = null;
  private window: PlotWindow = { to: null, spanS: 300 };
  private bands: readonly Band[] = [];
  private layers: Layers = { physical: true, raw: true };
  private lock: Lock | null = null;
  private physicalRange: AxisRange | null = null;
  private rawRange: AxisRange | null = null;
  private step = 60;
  private dirty = true;
  private fresh: ViewData | null = null;
  private drawnTo = 0;
  private saidAt = 0;
  private hiddenTicks = "";
  private visible = true;
  private unsaid: ReturnType<typeof setTimeout> | undefined;
  private readonly stops: (() => void)[] = [];

  constructor(private readonly options: Options) {
    const { host } = options;
    this.u = new uPlot(this.config(host.clientWidth || 400, host.clientHeight || 200), [[], [], []], host);
    const resized = new ResizeObserver(() => {
      if (host.clientWidth > 0) this.resize(host.clientWidth, host.clientHeight);
      this.dirty = true;
    });
    resized.observe(host);
    const seen = new IntersectionObserver((entries) => (this.visible = entries.some((entry) => entry.isIntersecting)));
    seen.observe(host);
    const scheme = new MutationObserver(() => this.recolor());
    scheme.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    const stopFrames = onFrame(() => this.draw());
    this.stops.push(() => resized.disconnect(), () => seen.disconnect(), () => scheme.disconnect(), stopFrames);
    void document.fonts.ready.then(() => (this.dirty = true));
  }

  /** Width of the plot in device pixels. */
  get pixels(): number {
    return Math.max(100, Math.round(this.u.bbox.width));
  }

  setData(data: ViewData): void {
    this.fresh = data;
  }

  setWindow(window: PlotWindow): void {
    this.window = window;
    this.dirty = true;
  }

  setBands(bands: readonly Band[]): void {
    this.bands = bands;
    this.dirty = true;
  }

  setLayers(layers: Layers, lock: Lock | null): void {
    this.layers = layers;
    this.lock = lock;
    this.u.setSeries(1, { show: layers.physical });
    this.u.setSeries(2, { show: layers.raw });
    this.range();
    this.dirty = true;
  }

  /** What a lock set now would hold. */
  rangeOf(layer: "physical" | "raw"): AxisRange | null {
    return layer === "physical" ? this.physicalRange : this.rawRange;
  }

  destroy(): void {
    clearTimeout(this.unsaid);
    this.stops.forEach((stop) => stop());
    this.u.destroy();
  }

  /** What labels have room for goes with the size, also where window and data stand still. */
  private resize(width: number, height: number): void {
    this.u.setSize({ width, height });
    this.step = timeStep(this.window.spanS, this.u.bbox.width / devicePixelRatio);
    this.physicalRange = this.rawRange = null;
    this.range();
    this.u.redraw(false, true);
  }

  private draw(): void {
    if (!this.visible) return;
    const { spanS } = this.window;
    const to = this.window.to ?? this.options.nowS();
    const pixelS = spanS / Math.max(1, this.u.bbox.width / devicePixelRatio);
    if (!this.dirty && this.fresh === null && Math.abs(to - this.drawnTo) < pixelS) return;
    const fresh = this.fresh;
    this.fresh = null;
    this.dirty = false;
    this.drawnTo = to;
    this.step = timeStep(spanS, this.u.bbox.width / devicePixelRatio);
    this.u.batch(() => {
      if (fresh !== null) {
        this.data = fresh;
        this.range();
        this.u.setData([fresh.t, withNulls(fresh.physical), withNulls(fresh.raw)], false);
      }
      this.u.setScale("x", { min: to - spanS, max: to });
    });
    if (fresh !== null) this.say();
  }

  private range(): void {
    if (this.data === null) return;
    const { physicalExtent, rawExtent } = this.data;
    const ticks = Math.max(3, Math.floor(this.u.bbox.height / devicePixelRatio / TICK_PX));
    const both = this.layers.physical && this.layers.raw && physicalExtent !== null && rawExtent !== null;
    this.physicalRange = settled(this.physicalRange, physicalExtent, both ? "upper" : "full", ticks);
    this.rawRange = settled(this.rawRange, rawExtent, both ? "lower" : "full", ticks);
    if (this.lock === null) return;
    const locked = lockedRange(this.lock.min, this.lock.max, ticks);
    if (this.lock.layer === "physical") this.physicalRange = locked;
    else this.rawRange = locked;
  }

  /** Tell the values under the pointer, or the newest ones at most four times a second. */
  private say(): void {
    const idx = this.u.cursor.idx;
    const left = this.u.cursor.left ?? -1;
    const under = left >= 0 && idx !== null && idx !== undefined;
    const now = performance.now();
    if (!under && now - this.saidAt < READOUT_MS) {
      // The last word of a burst is said too, or a picture that stands still would show none.
      this.unsaid ??= setTimeout(() => {
        this.unsaid = undefined;
        this.say();
      }, READOUT_MS);
      return;
    }
    this.saidAt = now;
    const data = this.data;
    if (data === null) return;
    const end = this.window.to ?? Infinity;
    const pick = (column: Float64Array): number | null => {
      if (under) return finite(column[idx]);
      // The newest inside the picture: one sample beyond its edge is held too.
      for (let i = column.length - 1; i >= 0 && i > column.length - 50; i -= 1) {
        const value = (data.t[i] ?? 0) <= end ? finite(column[i]) : null;
        if (value !== null) return value;
      }
      return null;
    };
    this.options.events.readout({
      at: under ? this.u.posToVal(left, "x") : null,
      physical: pick(data.physical),
      raw: pick(data.raw),
    });
  }

  private moved(): void {
    const left = this.u.cursor.left ?? -1;
    const { chip, cursor } = this.options;
    const at = left >= 0 ? this.u.posToVal(left, "x") : null;
    if (this.u.cursor.event !== undefined) cursor.set(at);
    chip.hidden = at === null;
    if (at !== null) {
      const over = this.u.over;
      const half = chip.offsetWidth / 2;
      const x = Math.max(half, Math.min(over.offsetLeft + left, this.u.width - half));
      chip.style.transform = `translateX(${x - half}px)`;
      chip.textContent = this.step < 1 ? clockTenths(at) : clock(at);
    }
    this.say();
    // Labels under the chip are left out; the axis is drawn again only when that set changes.
    if (this.ticksUnderChip() !== this.hiddenTicks) this.u.redraw(false, true);
  }

  private underChip(tick: number): boolean {
    const left = this.u.cursor.left ?? -1;
    return left >= 0 && Math.abs(this.u.valToPos(tick, "x") - left) < CHIP_HALF_PX;
  }

  private ticksUnderChip(): string {
    const { min, max } = this.u.scales.x ?? {};
    if (min === undefined || max === undefined) return "";
    return timeSplits(min, max, this.step).filter((tick) => this.underChip(tick)).join(" ");
  }

  private recolor(): void {
    this.palette = readPalette();
    this.u.redraw(true, true);
  }

  private dot(): void {
    const { data } = this;
    if (data === null || this.window.to !== null || !this.layers.physical || data.newestT === null) return;
    const last = data.physical.length - 1;
    const value = data.physical[last];
    const t = data.t[last];
    if (value === undefined || t === undefined || Number.isNaN(value)) return;
    const { ctx, bbox } = this.u;
    const x = this.u.valToPos(t, "x", true);
    if (x < bbox.left) return;
    ctx.beginPath();
    ctx.arc(x, this.u.valToPos(value, "p", true), 3 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fillStyle = this.palette.physical;
    ctx.fill();
  }

  private config(width: number, height: number): uPlot.Options {
    const yAxis = (scale: "p" | "r"): uPlot.Axis => ({
      scale,
      ...(scale === "r" ? RIGHT : {}),
      size: AXIS_PX,
      gap: 8,
      font: CANVAS_FONT,
      stroke: () => (scale === "p" ? this.palette.physical : this.palette.raw),
      grid: { show: scale === "p", stroke: () => this.palette.grid, width: 1 },
      ticks: { show: false },
      splits: () => {
        const range = scale === "p" ? this.physicalRange : this.rawRange;
        return range === null ? [] : splits(range.min, range.max, range.step);
      },
      values: (_, ticks) => {
        const range = scale === "p" ? this.physicalRange : this.rawRange;
        const shown = scale === "p" ? this.layers.physical : this.layers.raw;
        return range === null || !shown ? ticks.map(() => "") : tickLabels(ticks, range.step);
      },
    });
    const series = (scale: "p" | "r"): uPlot.Series => ({
      scale,
      stroke: () => (scale === "p" ? this.palette.physical : this.palette.raw),
      width: scale === "p" ? 1.5 : 1.25,
      ...(scale === "r" ? { dash: [5, 3] } : {}),
      points: { show: false },
      gaps: (u, _, __, ___, nulls) => gapPixels(u, this.data?.gaps ?? [], nulls),
    });
    const rangeOr = (range: AxisRange | null): [number, number] => (range === null ? [0, 1] : [range.min, range.max]);
    return {
      width,
      height,
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: 6 },
        sync: { key: this.options.syncKey, scales: ["x", null], setSeries: false },
        points: {
          size: 8,
          width: 2,
          stroke: (_, i) => (i === 1 ? this.palette.physical : this.palette.raw),
          fill: () => this.palette.bg,
        },
      },
      scales: {
        x: { time: false },
        p: { range: () => rangeOr(this.physicalRange) },
        r: { range: () => rangeOr(this.rawRange) },
      },
      axes: [
        {
          scale: "x",
          size: TIME_AXIS_PX,
          gap: 8,
          font: CANVAS_FONT,
          stroke: () => this.palette.axis,
          grid: { stroke: () => this.palette.grid, width: 1 },
          ticks: { show: false },
          splits: (_, __, min, max) => timeSplits(min, max, this.step),
          values: (_, ticks) => {
            this.hiddenTicks = this.ticksUnderChip();
            return ticks.map((tick) => (this.underChip(tick) ? "" : timeLabel(tick, this.step)));
          },
        },
        yAxis("p"),
        yAxis("r"),
      ],
      series: [{}, series("p"), series("r")],
      hooks: {
        drawClear: [
          (u) => {
            fillBands(u, this.bands, this.palette, this.options.nowS());
            if (this.data !== null) {
              hatchGaps(u, this.data.gaps, this.palette, this.window.to ?? this.options.nowS(), this.options.events.noData);
            }
          },
        ],
        draw: [
          (u) => drawRibbons(u, this.bands, this.palette, this.options.nowS()),
          () => this.dot(),
        ],
        setCursor: [() => this.moved()],
        setSelect: [
          (u) => {
            const { left, width: selected } = u.select;
            if (selected < 6) return;
            this.options.events.selected(u.posToVal(left, "x"), u.posToVal(left + selected, "x"), u.over.offsetLeft + left);
          },
        ],
      },
    };
  }
}

const finite = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value);

/** uPlot breaks lines at null only; columns without holes pass as they are. */
function withNulls(column: Float64Array): Float64Array | (number | null)[] {
  return column.some(Number.isNaN) ? Array.from(column, (value) => (Number.isNaN(value) ? null : value)) : column;
}
