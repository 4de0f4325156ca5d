import { afterEach, expect, it, vi } from "vitest";

import { LiveSocket } from "@/telemetry/live-socket";
import type { AccessChange } from "@/telemetry/protocol";

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

it("passes on what the hub says about access, and keeps the line", () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Line);
  const heard: AccessChange[] = [];
  const nothing = (): void => undefined;
  const socket = new LiveSocket({ frame: nothing, status: nothing, clock: nothing, gap: nothing, tokenNeeded: nothing, access: (change) => heard.push(change) });
  socket.session("token", "http://hub");
  const line = Line.last;
  line?.onopen?.();
  line?.onmessage?.({ data: JSON.stringify({ op: "ready", now: 1 }) });
  line?.onmessage?.({ data: JSON.stringify({ op: "access", gone: ["a"], raw: { b: false } }) });
  line?.onmessage?.({ data: JSON.stringify({ op: "access", gone: ["c"] }) });
  expect(heard).toEqual([{ gone: ["a"], raw: { b: false } }, { gone: ["c"], raw: {} }]);
  expect(line?.readyState).toBe(Line.OPEN);
});
