/** When each sensor was heard over a long span, thinned to what lanes can show. */

import { useEffect, useMemo, useRef, useState } from "react";

import type { Gap } from "@/telemetry/gaps";
import { useTelemetry } from "@/telemetry/use-telemetry";

export interface LaneSensor {
  readonly id: string;
  readonly name: string;
}

export interface Presence {
  readonly present: readonly Gap[];
  readonly absent: readonly Gap[];
}

const PIXELS = 400;
/** The span grows with the run; it is read again in steps of this share of it. */
const GRAIN = 0.02;
const LEAST_GRAIN_S = 5;

export function usePresence(sensors: readonly LaneSensor[], from: number, to: number): ReadonlyMap<string, Presence> {
  const client = useTelemetry();
  const [known, setKnown] = useState<ReadonlyMap<string, Presence>>(new Map());
  const views = useRef(new Map<string, { update: (until: number) => void; close: () => void }>());
  const grain = Math.max(LEAST_GRAIN_S, GRAIN * (to - from));
  const until = Math.ceil(to / grain) * grain;
  const key = sensors.map((sensor) => sensor.id).join(" ");
  const ids = useMemo(() => (key === "" ? [] : key.split(" ")), [key]);

  useEffect(() => {
    const open = views.current;
    for (const id of ids) {
      const spec = (end: number) => ({
        sensorId: id,
        pixels: PIXELS,
        window: { kind: "range", from, to: end, captureId: null } as const,
      });
      const view = client.open(spec(from + 1), (data) => {
        const first = data.t[0];
        const last = data.t[data.t.length - 1];
        if (first === undefined || last === undefined) return;
        const present: Gap[] = [];
        let begin = first;
        // What is narrower than a pixel of the lane cannot be seen, and there may be hundreds.
        const absent = data.gaps.filter((gap) => gap.to - gap.from > (last - first) / PIXELS);
        for (const gap of absent) {
          present.push({ from: begin, to: gap.from });
          begin = gap.to;
        }
        present.push({ from: begin, to: last });
        setKnown((old) => new Map(old).set(id, { present, absent }));
      });
      open.set(id, { update: (end) => view.update(spec(end)), close: () => view.close() });
    }
    return () => {
      open.forEach((view) => view.close());
      open.clear();
    };
  }, [client, ids, from]);
  useEffect(() => views.current.forEach((view) => view.update(until)), [until, ids, from]);
  return known;
}
