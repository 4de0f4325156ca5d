import { describe, expect, it } from "vitest";

import type { History } from "@/telemetry/history";
import { rfc3339 } from "@/telemetry/history";
import type { FrameSeries } from "@/telemetry/frames";
import type { ViewData } from "@/telemetry/protocol";
import { SensorLog } from "@/telemetry/sensor-log";
import { Views } from "@/telemetry/views";

const NOW = 1_000_000;
const SILENT = { read: () => new Promise<null>(() => undefined) } as unknown as History;

function setUp(history = SILENT): { log: SensorLog; views: Views; sent: Map<number, ViewData[]> } {
  const log = new SensorLog("s");
  const sent = new Map<number, ViewData[]>();
  const views = new Views({
    history,
    log: () => log,
    nowS: () => NOW,
    send: (id, data) => sent.set(id, [...(sent.get(id) ?? []), data]),
  });
  return { log, views, sent };
}

function feed(log: SensorLog, n: number, perS: number): void {
  const t = Float64Array.from({ length: n }, (_, i) => NOW - (n - 1 - i) / perS);
  const raw = t.map((_, i) => (i === n - 100 ? 50 : Math.sin(i / 10)));
  log.receive({ t, raw, physical: raw.map((v) => 2 * v), status: null }, 12, NOW);
}

describe("Views", () => {
  it("answers with no more samples than the width needs, and loses no spike", () => {
    const { log, views, sent } = setUp();
    feed(log, 20_000, 100);
    views.set(1, { sensorId: "s", window: { kind: "live", windowS: 60 }, pixels: 400 });
    views.flush();
    const [data] = sent.get(1) ?? [];
    expect(data?.t.length).toBeLessThan(400 * 1.25 * 6);
    expect(data?.rawExtent?.max).toBe(50);
    expect(data?.physicalExtent?.max).toBe(100);
    expect(data?.gaps).toEqual([]);
  });

  it("holds replies back until the last one was taken, then sends the newest state once", () => {
    const { log, views, sent } = setUp();
    feed(log, 100, 10);
    views.set(1, { sensorId: "s", window: { kind: "live", windowS: 60 }, pixels: 400 });
    views.flush();
    for (let i = 0; i < 5; i += 1) {
      views.changed("s");
      views.flush();
    }
    expect(sent.get(1)).toHaveLength(1);
    views.taken(1);
    views.flush();
    views.taken(1);
    views.flush();
    expect(sent.get(1)).toHaveLength(2);
  });

  it("shows a sensor that fell silent as a gap that goes on", () => {
    const { log, views, sent } = setUp();
    const t = Float64Array.from({ length: 100 }, (_, i) => NOW - 30 + i / 10);
    log.receive({ t, raw: t, physical: t, status: null }, 5, NOW - 20);
    views.set(1, { sensorId: "s", window: { kind: "live", windowS: 60 }, pixels: 400 });
    views.flush();
    expect(sent.get(1)?.[0]?.gaps).toEqual([{ from: t[99], to: Infinity }]);
  });
});

describe("stored ranges", () => {
  const stored = (t: number[], gaps: FrameSeries["gaps"], decimated: boolean): FrameSeries => {
    const columns = { t: Float64Array.from(t), raw: Float64Array.from(t), physical: Float64Array.from(t), status: null };
    return { ...columns, sensorId: "s", delayMs: NaN, decimated, total: t.length, gaps };
  };
  const shown = async (series: FrameSeries, from: number, to: number): Promise<ViewData | undefined> => {
    const { views, sent } = setUp({ read: () => Promise.resolve(series) } as unknown as History);
    views.set(1, { sensorId: "s", window: { kind: "range", from, to, captureId: "c" }, pixels: 400 });
    views.flush();
    views.taken(1);
    await Promise.resolve();
    await Promise.resolve();
    views.flush();
    return sent.get(1)?.[1];
  };
  const steady = Array.from({ length: 100 }, (_, i) => i);

  it.each([true, false])("break exactly where the hub says (thinned: %s)", async (decimated) => {
    // By its distances alone this series would break between 40 and 90, and not between 20 and 21.
    const t = steady.filter((i) => i <= 40 || i >= 90);
    const data = await shown(stored(t, [{ from: 20, to: 21 }, { from: 500, to: 600 }], decimated), 0, 100);
    expect(data?.t.length).toBe(t.length);
    expect(data?.gaps).toEqual([{ from: 20, to: 21 }]);
  });

  it("keep a gap whose ends were thinned away, and one that the picture's edge cuts", async () => {
    const data = await shown(stored([0, 10, 30, 60, 70, 95], [{ from: 12, to: 28 }, { from: 61, to: 69 }], true), 20, 65);
    expect(data?.gaps).toEqual([{ from: 12, to: 28 }, { from: 61, to: 69 }]);
  });
});

describe("live windows", () => {
  it("break where their history was told to, and by distance where samples came since", async () => {
    const t = Array.from({ length: 50 }, (_, i) => NOW - 60 + i).filter((at) => at < NOW - 40 || at > NOW - 35);
    const series = { t: Float64Array.from(t), raw: null, physical: null, status: null, sensorId: "s", delayMs: NaN, decimated: true, total: 9e9 };
    const gaps = [{ from: NOW - 55, to: NOW - 54 }];
    const { log, views, sent } = setUp({ read: () => Promise.resolve({ ...series, gaps }) } as unknown as History);
    views.set(1, { sensorId: "s", window: { kind: "live", windowS: 60 }, pixels: 400 });
    await Promise.resolve();
    // Too few samples are held whole to tell the usual distance, so the expected one stands for it.
    log.heartbeatIntervalS = 1;
    const since = Float64Array.from({ length: 50 }, (_, i) => NOW - 5 + i / 10);
    log.receive({ t: since, raw: since, physical: since, status: null }, 5, NOW);
    views.flush();
    expect(sent.get(1)?.[0]?.gaps).toEqual([...gaps, { from: NOW - 11, to: NOW - 5 }]);
  });
});

describe("SensorLog", () => {
  it("tells rate, newest values and heartbeats", () => {
    const log = new SensorLog("s");
    log.heartbeatIntervalS = 5;
    feed(log, 600, 10);
    const reading = log.reading(NOW);
    expect(reading?.ratePerS).toBeCloseTo(10, 1);
    expect(reading?.physical).toBeCloseTo(2 * Math.sin(59.9));
    expect(reading?.delayMs).toBe(12);
    expect(reading?.beats).toEqual(Array(8).fill(2));
    expect(log.reading(NOW + 25)?.beats.slice(-4)).toEqual([0, 0, 0, 0]);
    expect(log.rate(NOW + 25)).toBe(0);
  });
});

describe("rfc3339", () => {
  it("keeps microseconds", () => {
    expect(rfc3339(1_732_348_800.125_001)).toBe("2024-11-23T08:00:00.125001Z");
  });
});
