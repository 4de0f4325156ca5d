/** Answers charts: one view is one sensor's window at a pixel width; replies wait until the last one was taken. */

import type { FrameSeries } from "./frames";
import { GAP_SPACINGS, SETTLE_S, type Gap } from "./gaps";
import type { History } from "./history";
import { lowerBound, m4 } from "./m4";
import type { Extent, ViewData, ViewSpec } from "./protocol";
import type { Columns } from "./ring";
import type { SensorLog } from "./sensor-log";

/** A range is read this much wider on either side, so that panning asks again only outside it. */
const MARGIN = 0.25;
const RETRY_S = 5;

interface Fetched {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly series: FrameSeries | null;
}

/** What a view draws: columns, the gaps between their samples [lo, hi), and how many samples they stand for. */
interface Source {
  readonly columns: Columns;
  readonly gaps: (lo: number, hi: number) => Gap[];
  /** Null: as many as are held. */
  readonly total: number | null;
}

interface View {
  spec: ViewSpec;
  dirty: boolean;
  taken: boolean;
  fetched: Fetched | null;
  fetching: boolean;
  problem: string | null;
  retryAt: number;
}

export interface ViewHost {
  readonly history: History;
  readonly log: (sensorId: string) => SensorLog;
  readonly nowS: () => number;
  readonly send: (id: number, data: ViewData) => void;
}

export class Views {
  private readonly views = new Map<number, View>();

  constructor(private readonly host: ViewHost) {}

  set(id: number, spec: ViewSpec): void {
    const view = this.views.get(id);
    if (view === undefined) {
      this.views.set(id, { spec, dirty: true, taken: true, fetched: null, fetching: false, problem: null, retryAt: 0 });
    } else {
      view.spec = spec;
      view.dirty = true;
    }
    if (spec.window.kind === "live") this.wantHistory(spec.sensorId, spec.window.windowS, spec.pixels);
  }

  close(id: number): void {
    this.views.delete(id);
  }

  taken(id: number): void {
    const view = this.views.get(id);
    if (view !== undefined) view.taken = true;
  }

  sensors(): string[] {
    // Frozen views too: a sensor that were left out meanwhile would come back with a hole.
    return [...this.views.values()].map((view) => view.spec.sensorId);
  }

  /** Longest live window wanted of a sensor, in seconds. */
  keepS(sensorId: string): number {
    let keep = 0;
    for (const { spec } of this.views.values()) {
      if (spec.sensorId === sensorId && spec.window.kind === "live") keep = Math.max(keep, spec.window.windowS);
    }
    return keep;
  }

  changed(sensorId: string): void {
    for (const view of this.views.values()) {
      // A range that was drawn stands still; it is read again when it moves.
      const moves = view.spec.window.kind === "live" || view.fetched === null;
      if (moves && view.spec.sensorId === sensorId) view.dirty = true;
    }
  }

  /** Read live windows again after a gap in the live channel. */
  reload(): void {
    for (const { spec } of this.views.values()) {
      if (spec.window.kind === "live") this.wantHistory(spec.sensorId, spec.window.windowS, spec.pixels);
    }
  }

  flush(): void {
    for (const [id, view] of this.views) {
      if (!view.dirty || !view.taken) continue;
      view.dirty = false;
      view.taken = false;
      this.host.send(id, view.spec.window.kind === "live" ? this.live(view) : this.range(view));
    }
  }

  private live(view: View): ViewData {
    const log = this.host.log(view.spec.sensorId);
    const now = this.host.nowS();
    const windowS = view.spec.window.kind === "live" ? view.spec.window.windowS : 0;
    const span = windowS * (1 + MARGIN);
    const loading = log.askedFrom === Infinity;
    return this.data(view, this.held(log), now - span, now + windowS * MARGIN, loading);
  }

  private held(log: SensorLog): Source {
    const { ring } = log;
    const settled = this.host.nowS() - SETTLE_S;
    const gaps = (lo: number, hi: number): Gap[] => {
      const usualS = ring.usualSpacing(lo, hi) ?? log.heartbeatIntervalS;
      return ring.gaps.within(ring.t, lo, hi, { usualS, settled });
    };
    return { columns: ring, gaps, total: null };
  }

  private range(view: View): ViewData {
    const { spec } = view;
    if (spec.window.kind !== "range") return this.live(view);
    const { from, to, captureId, revision = null } = spec.window;
    const log = this.host.log(spec.sensorId);
    const held = captureId === null && log.ring.fullFrom <= from && log.askedFrom <= from;
    if (held) return this.data(view, this.held(log), from, to, false);

    const key = `${spec.sensorId}/${captureId ?? ""}/${revision ?? ""}`;
    const fetched = view.fetched?.key === key ? view.fetched : null;
    const inside = fetched !== null && fetched.from <= from && to <= fetched.to;
    const fine = fetched !== null && (fetched.series?.decimated !== true || to - from > (fetched.to - fetched.from) / (2 + 4 * MARGIN));
    const current = inside && fine;
    if (!current && !view.fetching && Date.now() >= view.retryAt) void this.fetchRange(view, key, from, to, captureId, revision);
    return this.data(view, fetched?.series == null ? NOTHING : told(fetched.series), from, to, !current && view.fetching);
  }

  private async fetchRange(view: View, key: string, from: number, to: number, captureId: string | null, revision: number | null): Promise<void> {
    view.fetching = true;
    const margin = MARGIN * (to - from);
    const askedAt = this.host.nowS();
    const request = { sensorId: view.spec.sensorId, captureId, revision, from: from - margin, to: to + margin };
    try {
      const maxPoints = Math.ceil(4 * view.spec.pixels * (1 + 2 * MARGIN));
      const series = await this.host.history.read({ ...request, maxPoints });
      // What lay in the future when the hub answered was not read.
      const until = captureId === null ? Math.min(request.to, askedAt) : request.to;
      view.fetched = { key, from: request.from, to: Math.max(until, to), series };
      view.problem = null;
    } catch (error) {
      view.problem = error instanceof Error ? error.message : String(error);
      view.retryAt = Date.now() + RETRY_S * 1000;
      setTimeout(() => (view.dirty = true), RETRY_S * 1000);
    }
    view.fetching = false;
    view.dirty = true;
  }

  private wantHistory(sensorId: string, windowS: number, pixels: number): void {
    const log = this.host.log(sensorId);
    const now = this.host.nowS();
    const from = now - windowS * (1 + MARGIN);
    log.keepS = Math.max(log.keepS, windowS * (1 + 2 * MARGIN));
    if (log.askedFrom <= from + windowS * MARGIN) return;
    const to = Math.min(log.askedFrom, now + 1);
    const before = log.askedFrom;
    log.askedFrom = from;
    const maxPoints = Math.min(20_000, 4 * Math.max(pixels, 500));
    this.host.history.read({ sensorId, captureId: null, from, to, maxPoints }).then(
      (series) => {
        if (series === null) return;
        log.fill(series, to);
        this.changed(sensorId);
      },
      () => {
        log.askedFrom = before;
        setTimeout(() => this.reload(), RETRY_S * 1000);
      },
    );
  }

  private data(view: View, source: Source, x0: number, x1: number, loading: boolean): ViewData {
    const { columns } = source;
    const { t } = columns;
    // One sample beyond either edge, so that the line runs out of the picture.
    const lo = Math.max(0, lowerBound(t, x0) - 1);
    const hi = Math.min(t.length, lowerBound(t, x1) + 1);
    const blank = new Float64Array(t.length).fill(NaN);
    const physical = columns.physical ?? blank;
    const raw = columns.raw ?? blank;
    const kept = m4(t, [physical, raw], lo, hi, x0, x1, Math.ceil(view.spec.pixels * (1 + MARGIN)));
    const take = (from: Float64Array): Float64Array => {
      const into = new Float64Array(kept.length);
      for (let k = 0; k < kept.length; k += 1) into[k] = from[kept[k] ?? 0] ?? NaN;
      return into;
    };
    const gaps = source.gaps(lo, hi);
    const newestT = t[t.length - 1] ?? null;
    if (view.spec.window.kind === "live") this.silence(gaps, view.spec.sensorId);
    return {
      t: take(t),
      physical: take(physical),
      raw: take(raw),
      physicalExtent: extent(physical, kept),
      rawExtent: extent(raw, kept),
      gaps,
      newestT,
      total: source.total ?? hi - lo,
      loading,
      problem: view.problem,
    };
  }

  /** A sensor that is silent now has a gap that goes on. */
  private silence(gaps: Gap[], sensorId: string): void {
    const { ring, heartbeatIntervalS } = this.host.log(sensorId);
    const newestT = ring.t[ring.length - 1];
    if (newestT === undefined) return;
    const usualS = ring.usualSpacing(Math.max(0, ring.length - 1000), ring.length) ?? heartbeatIntervalS;
    if (this.host.nowS() - newestT > GAP_SPACINGS * usualS + 2 * SETTLE_S) gaps.push({ from: newestT, to: Infinity });
  }
}

const NONE = new Float64Array(0);
const NOTHING: Source = { columns: { t: NONE, raw: NONE, physical: NONE, status: null }, gaps: () => [], total: 0 };

/** A range of history breaks exactly where the hub says. */
function told(series: FrameSeries): Source {
  const { t, gaps, total } = series;
  const inside = (lo: number, hi: number): Gap[] => (gaps ?? []).filter((gap) => gap.to > (t[lo] ?? 0) && gap.from < (t[hi - 1] ?? 0));
  return { columns: series, gaps: inside, total };
}

function extent(values: Float64Array, kept: Uint32Array): Extent | null {
  let min = Infinity;
  let max = -Infinity;
  for (const i of kept) {
    const value = values[i] ?? NaN;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? { min, max } : null;
}
