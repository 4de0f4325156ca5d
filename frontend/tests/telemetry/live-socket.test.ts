import { afterEach, expect, it, vi } from "vitest";

import { LiveSocket } from "@/telemetry/live-socket";
import type { AccessChange, HubEvent, VectorReading } from "@/telemetry/protocol";

class Line {
  static readonly OPEN = 1;
  static last: Line | null = null;
  readyState = Line.OPEN;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: string[] = [];

  constructor() {
    Line.last = this;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Events = ConstructorParameters<typeof LiveSocket>[0];

/** Open a line, ready to be spoken over; `parts` hear what they want. */
function open(parts: Partial<Events>): { socket: LiveSocket; line: Line; say: (message: object) => void; sent: () => object[] } {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Line);
  const nothing = (): void => undefined;
  const events = { frame: nothing, status: nothing, clock: nothing, gap: nothing, tokenNeeded: nothing, access: nothing, event: nothing, vectors: nothing, ledger: nothing, states: nothing };
  const socket = new LiveSocket({ ...events, ...parts });
  socket.session("token", "http://hub");
  const line = Line.last;
  if (line === null) throw new Error("no line");
  line.onopen?.();
  return {
    socket,
    line,
    say: (message) => line.onmessage?.({ data: JSON.stringify(message) }),
    sent: () => line.sent.splice(0).map((text) => JSON.parse(text) as object),
  };
}

it("passes on what the hub says about access, and keeps the line", () => {
  const heard: AccessChange[] = [];
  const { line, say } = open({ access: (change) => heard.push(change) });
  say({ op: "ready", now: 1 });
  say({ op: "access", gone: ["a"], raw: { b: false } });
  say({ op: "access", gone: ["c"] });
  expect(heard).toEqual([{ gone: ["a"], raw: { b: false } }, { gone: ["c"], raw: {} }]);
  expect(line.readyState).toBe(Line.OPEN);
});

it("passes on the newest vectors; one without physical values is empty", () => {
  const heard: VectorReading[][] = [];
  const { say } = open({ vectors: (vectors) => heard.push([...vectors]) });
  say({ op: "ready", now: 1 });
  say({ op: "vectors", vectors: [{ sensor_id: "a", t: 2, physical: [1, null] }, { sensor_id: "b", t: 3 }] });
  expect(heard).toEqual([[{ id: "a", t: 2, physical: [1, null] }, { id: "b", t: 3, physical: [] }]]);
});

it("follows one project's events, whenever it was named", () => {
  const events: HubEvent[] = [];
  const states: object[] = [];
  const { socket, say, sent } = open({ event: (event) => events.push(event), states: (each) => states.push(each) });
  socket.project("p");
  sent();
  say({ op: "ready", now: 1 });
  expect(sent()).toEqual([{ op: "subscribe", projects: ["p"] }]);
  say({ op: "states", sensors: [{ sensor_id: "s", state: "online" }] });
  say({ op: "event", kind: "capture", project_id: "p", subject_id: "c", details: { change: "started" } });
  expect(states).toEqual([{ s: "online" }]);
  expect(events).toEqual([{ kind: "capture", projectId: "p", subjectId: "c", details: { change: "started" } }]);
  socket.project("q");
  expect(sent()).toEqual([
    { op: "unsubscribe", projects: ["p"] },
    { op: "subscribe", projects: ["q"] },
  ]);
});

it("follows runs for their captures' ledgers, one by one, and again after each interruption", () => {
  const heard: object[] = [];
  const { socket, line, say, sent } = open({ ledger: (change) => heard.push(change) });
  const follow = (id: string): object => ({ op: "subscribe", runs: [id], ledger: true, samples: false });
  socket.runs(new Set(["a"]));
  sent();
  say({ op: "ready", now: 1 });
  expect(sent()).toEqual([follow("a")]);
  socket.runs(new Set(["a", "b", "c"]));
  expect(sent()).toEqual([follow("b"), follow("c")]);
  socket.runs(new Set(["b"]));
  expect(sent()).toEqual([{ op: "unsubscribe", runs: ["a", "c"] }]);
  say({ op: "capture_ledger", run_id: "b", capture_id: "x", status: "running", ledger: { stored: 7 } });
  expect(heard).toEqual([{ captureId: "x", ledger: { stored: 7 } }]);
  line.onclose?.({ code: 1006 });
  vi.advanceTimersByTime(1000);
  Line.last?.onopen?.();
  Line.last?.onmessage?.({ data: JSON.stringify({ op: "ready", now: 4 }) });
  expect(Line.last?.sent.map((text) => JSON.parse(text) as object)).toContainEqual(follow("b"));
});

it("resumes where the last sign of life said, however quiet it was", () => {
  const { socket, line, say } = open({});
  say({ op: "ready", now: 1 });
  socket.want(new Set(["s"]));
  say({ op: "subscribed", cursor: "1-0" });
  say({ op: "pong", now: 2, cursor: "2-0" });
  say({ op: "pong", now: 3, cursor: null });
  line.onclose?.({ code: 1006 });
  vi.advanceTimersByTime(1000);
  const next = Line.last;
  next?.onopen?.();
  next?.onmessage?.({ data: JSON.stringify({ op: "ready", now: 4 }) });
  expect(next?.sent.map((text) => JSON.parse(text) as object)).toContainEqual({ op: "subscribe", sensors: ["s"], encoding: "binary", since: "2-0" });
});
