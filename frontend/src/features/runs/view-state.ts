/** What a run's page shows, kept in its address: window, capture, charts, layers, locks. */

import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

import type { Layers, Lock } from "@/charts/plot-engine";

export const WINDOWS_S = [30, 60, 300, 900, 3600] as const;
const DEFAULT_WINDOW_S = 300;
const MOST_CHARTS = 4;

export interface ViewState {
  readonly windowS: number;
  /** Frozen at this time, in seconds since 1970. */
  readonly frozenAt: number | null;
  readonly fixed: { readonly from: number; readonly to: number } | null;
  /** Ordinal number of the chosen capture. */
  readonly capture: number | null;
  /** Whose physical values of the capture; null for the newest. */
  readonly revision: number | null;
  readonly expanded: string | null;
}

export interface RunView {
  readonly state: ViewState;
  readonly charts: (bound: readonly string[]) => string[];
  readonly layersOf: (sensorId: string) => Layers;
  readonly lockOf: (sensorId: string) => Lock | null;
  readonly live: (windowS: number) => void;
  readonly freeze: (at: number | null) => void;
  readonly fix: (from: number, to: number) => void;
  readonly choose: (capture: number | null) => void;
  readonly revise: (revision: number | null) => void;
  readonly expand: (sensorId: string | null) => void;
  readonly setCharts: (sensorIds: readonly string[]) => void;
  readonly setLayers: (sensorId: string, layers: Layers) => void;
  readonly setLock: (sensorId: string, lock: Lock | null) => void;
}

/** The part of an id that tells a run's sensors apart. UUIDs of one minute share their beginning, so it is the end. */
const short = (id: string): string => id.slice(-10);
/** Without the dust that adding steps leaves behind. */
const tidy = (value: number): number => Number(value.toPrecision(12));
const list = (params: URLSearchParams, key: string): string[] => params.get(key)?.split(",").filter(Boolean) ?? [];

function number(params: URLSearchParams, key: string): number | null {
  const text = params.get(key);
  const value = text === null ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

export function useRunView(): RunView {
  const [params, setParams] = useSearchParams();
  const change = useCallback(
    (patch: Readonly<Record<string, string | null>>) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          for (const [key, value] of Object.entries(patch)) {
            if (value === null || value === "") next.delete(key);
            else next.set(key, value);
          }
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return useMemo(() => {
    const from = number(params, "from");
    const to = number(params, "to");
    const hidden = new Set(list(params, "hide"));
    const locks = new Map(list(params, "lock").map((entry) => [entry.split(":")[0] ?? "", entry]));
    const replaceLock = (id: string, entry: string | null): string =>
      [...[...locks].filter(([key]) => key !== short(id)).map(([, value]) => value), ...(entry === null ? [] : [entry])].join(",");
    return {
      state: {
        windowS: number(params, "w") ?? DEFAULT_WINDOW_S,
        frozenAt: number(params, "at"),
        fixed: from !== null && to !== null && to > from ? { from, to } : null,
        capture: number(params, "capture"),
        revision: number(params, "rev"),
        expanded: params.get("big"),
      },
      charts: (bound) => {
        const chosen = params.get("show");
        if (chosen === null) return bound.slice(0, MOST_CHARTS);
        const ids = new Set(chosen.split(","));
        return bound.filter((id) => ids.has(short(id))).slice(0, MOST_CHARTS);
      },
      layersOf: (id) => ({ physical: !hidden.has(`${short(id)}:p`), raw: !hidden.has(`${short(id)}:r`) }),
      lockOf: (id) => {
        const [, layer, min, max] = locks.get(short(id))?.split(":") ?? [];
        if (layer === undefined || min === undefined || max === undefined) return null;
        return { layer: layer === "r" ? "raw" : "physical", min: Number(min), max: Number(max) };
      },
      live: (windowS) => change({ w: windowS === DEFAULT_WINDOW_S ? null : String(windowS), at: null, from: null, to: null, capture: null, rev: null }),
      freeze: (at) => change({ at: at?.toFixed(2) ?? null }),
      fix: (a, b) => change({ from: a.toFixed(2), to: b.toFixed(2), at: null }),
      choose: (capture) => change({ capture: capture === null ? null : String(capture), from: null, to: null, at: null, rev: null }),
      revise: (revision) => change({ rev: revision === null ? null : String(revision) }),
      expand: (id) => change({ big: id === null ? null : short(id) }),
      setCharts: (ids) => change({ show: ids.map(short).join(",") || "none" }),
      setLayers: (id, layers) => {
        const next = new Set(hidden);
        for (const [key, shown] of [["p", layers.physical], ["r", layers.raw]] as const) {
          if (shown) next.delete(`${short(id)}:${key}`);
          else next.add(`${short(id)}:${key}`);
        }
        change({ hide: [...next].join(",") });
      },
      setLock: (id, lock) =>
        change({ lock: replaceLock(id, lock === null ? null : `${short(id)}:${lock.layer === "raw" ? "r" : "p"}:${tidy(lock.min)}:${tidy(lock.max)}`) }),
    };
  }, [params, change]);
}

export const isExpanded = (state: ViewState, id: string): boolean => state.expanded === short(id);
