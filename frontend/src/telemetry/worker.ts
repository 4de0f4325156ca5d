/** The telemetry worker: owns the live socket and all samples, and answers the page at the width it draws. */

import { History } from "./history";
import { LiveSocket } from "./live-socket";
import type { FromWorker, Intake, LiveState, Reading, ToWorker, Watched } from "./protocol";
import { SensorLog } from "./sensor-log";
import { Views } from "./views";

const READINGS_MS = 250;
const SPARKS_MS = 1_000;
const VIEWS_MS = 50;
const INTAKE_S = 60;
const RETRY_MS = 10_000;
const SPARK_POINTS = 480;

let clockOffsetS = 0;
let status: { state: LiveState; retryAt: number | null } = { state: "idle", retryAt: null };
const logs = new Map<string, SensorLog>();
let watched: readonly Watched[] = [];

const nowS = (): number => Date.now() / 1000 + clockOffsetS;
const post = (message: FromWorker, transfer: Transferable[] = []): void =>
  self.postMessage(message, { transfer });
const tokenNeeded = (): void => post({ op: "token-needed" });
const report = (): void => post({ op: "status", ...status, clockOffsetS });

function log(id: string): SensorLog {
  let found = logs.get(id);
  if (found === undefined) {
    found = new SensorLog(id);
    logs.set(id, found);
  }
  return found;
}

const history = new History(tokenNeeded);
const views = new Views({
  history,
  log,
  nowS,
  send: (id, data) => post({ op: "view", id, data }, [data.t.buffer, data.physical.buffer, data.raw.buffer]),
});
const socket = new LiveSocket({
  frame: (frame) => {
    for (const series of frame.series) {
      log(series.sensorId).receive(series, series.delayMs, nowS());
      views.changed(series.sensorId);
    }
  },
  status: (state, retryAt) => {
    status = { state, retryAt };
    report();
  },
  clock: (offsetS) => {
    clockOffsetS = offsetS;
    report();
  },
  gap: () => {
    for (const each of logs.values()) each.askedFrom = Infinity;
    views.reload();
    fillSparks();
  },
  tokenNeeded,
  access: (change) => {
    // What was read under the old rights is read again under the new ones.
    for (const id of [...change.gone, ...Object.keys(change.raw)]) logs.delete(id);
    for (const sensor of watched) log(sensor.id).heartbeatIntervalS = sensor.heartbeatIntervalS;
    views.reload();
    fillSparks();
    post({ op: "access", change });
  },
  event: (event) => post({ op: "event", event }),
  vectors: (vectors) => post({ op: "vectors", vectors }),
  ledger: (change) => post({ op: "ledger", change }),
  states: (states) => post({ op: "states", states }),
});

function subscribe(): void {
  const wanted = new Set([...watched.map((sensor) => sensor.id), ...views.sensors()]);
  for (const id of logs.keys()) if (!wanted.has(id)) logs.delete(id);
  socket.want(wanted);
}

/** Read the last minute of what the monitor shows, so that its curves do not start empty. */
function fillSparks(): void {
  if (history.token === null) return;
  for (const { id } of watched) {
    const each = log(id);
    if (each.askedFrom !== Infinity) continue;
    const to = nowS() + 1;
    const from = to - 62;
    each.askedFrom = from;
    history.read({ sensorId: id, captureId: null, from, to, maxPoints: SPARK_POINTS }).then(
      (series) => {
        if (series === null) return;
        each.fill(series, to);
        views.changed(id);
      },
      () => setTimeout(() => (each.askedFrom = Infinity), RETRY_MS),
    );
  }
}

function intake(): Intake {
  const since = nowS() - INTAKE_S;
  const delays: number[] = [];
  let ratePerS = 0;
  for (const { id } of watched) {
    const each = log(id);
    ratePerS += each.rate(nowS());
    delays.push(...each.delaysSince(since));
  }
  delays.sort((a, b) => a - b);
  if (delays.length === 0) return { ratePerS, delayMeanMs: null, delayP99Ms: null };
  const delayMeanMs = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
  return { ratePerS, delayMeanMs, delayP99Ms: delays[Math.ceil(0.99 * delays.length) - 1] ?? null };
}

function sendReadings(): void {
  const readings: Reading[] = [];
  for (const [id, each] of logs) {
    each.keepS = Math.max(75, 1.5 * views.keepS(id));
    each.tidy(nowS());
    const reading = each.reading(nowS());
    if (reading !== null) readings.push(reading);
  }
  if (readings.length > 0) post({ op: "readings", readings, intake: intake() });
}

function sendSparks(): void {
  fillSparks();
  const sparks = watched.map(({ id }) => log(id)).map((each) => each.spark(nowS()));
  if (sparks.length === 0) return;
  post({ op: "sparks", sparks }, sparks.map((spark) => spark.points.buffer as ArrayBuffer));
}

self.onmessage = (event: MessageEvent<ToWorker>): void => {
  const message = event.data;
  switch (message.op) {
    case "session":
      history.token = message.token;
      history.origin = message.origin;
      if (message.token === null) logs.clear();
      socket.session(message.token, message.origin);
      break;
    case "watch":
      watched = message.sensors;
      for (const sensor of watched) log(sensor.id).heartbeatIntervalS = sensor.heartbeatIntervalS;
      fillSparks();
      subscribe();
      break;
    case "project":
      socket.project(message.id);
      break;
    case "runs":
      socket.runs(new Set(message.ids));
      break;
    case "view":
      views.set(message.id, message.spec);
      subscribe();
      break;
    case "close":
      views.close(message.id);
      subscribe();
      break;
    case "taken":
      views.taken(message.id);
      break;
    case "retry":
      socket.retryNow();
      break;
  }
};

setInterval(sendReadings, READINGS_MS);
setInterval(sendSparks, SPARKS_MS);
setInterval(() => views.flush(), VIEWS_MS);
