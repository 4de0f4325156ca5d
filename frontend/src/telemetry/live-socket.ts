/** Keeps the live WebSocket: authenticates, subscribes, resumes at the last cursor, reconnects with backoff. */

import { decodeFrame, type Frame } from "./frames";
import type { AccessChange, Heard, HubEvent, LedgerChange, LiveState, VectorReading } from "./protocol";

const FIRST_RETRY_S = 0.5;
const LONGEST_RETRY_S = 15;
const PING_S = 10;
const SILENCE_S = 25;
const CLOSED_EXPIRED = 4401;

export interface SocketEvents {
  readonly frame: (frame: Frame) => void;
  readonly status: (state: LiveState, retryAt: number | null) => void;
  /** The hub's clock less ours, in seconds. */
  readonly clock: (offsetS: number) => void;
  /** The hub no longer holds what came after our cursor: history must be read again. */
  readonly gap: () => void;
  readonly tokenNeeded: () => void;
  readonly access: (change: AccessChange) => void;
  readonly event: (event: HubEvent) => void;
  readonly vectors: (vectors: readonly VectorReading[]) => void;
  readonly ledger: (change: LedgerChange) => void;
  /** How all sensors of the project are; later changes come as events. */
  readonly states: (states: Readonly<Record<string, Heard>>) => void;
}

interface Control {
  readonly op: string;
  readonly now?: number;
  readonly cursor?: string | null;
  readonly gone?: readonly string[];
  readonly raw?: Readonly<Record<string, boolean>>;
  readonly kind?: string;
  readonly project_id?: string;
  readonly subject_id?: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly capture_id?: string;
  readonly ledger?: object;
  readonly vectors?: readonly { readonly sensor_id: string; readonly t: number; readonly physical?: readonly (number | null)[] }[];
  /** Of `states`; ids only in other messages. */
  readonly sensors?: readonly { readonly sensor_id: string; readonly state: Heard }[];
}

export class LiveSocket {
  private socket: WebSocket | null = null;
  private token: string | null = null;
  private origin = "";
  private cursor: string | null = null;
  private wanted = new Set<string>();
  private subscribed = new Set<string>();
  private projectId: string | null = null;
  private followed: ReadonlySet<string> = new Set();
  private ready = false;
  private retryS = FIRST_RETRY_S;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private sentPingAt = 0;

  constructor(private readonly events: SocketEvents) {}

  /** Take a new token, or none; an open connection re-authenticates and goes on. */
  session(token: string | null, origin: string): void {
    this.token = token;
    this.origin = origin;
    if (token === null) {
      this.cursor = null;
      this.drop();
      this.events.status("idle", null);
    } else if (this.socket?.readyState === WebSocket.OPEN) {
      this.send({ op: "auth", access_token: token });
    } else if (this.socket === null) {
      this.connect();
    }
  }

  want(sensors: ReadonlySet<string>): void {
    const gone = [...this.subscribed].filter((id) => !sensors.has(id));
    const fresh = [...sensors].filter((id) => !this.subscribed.has(id));
    this.wanted = new Set(sensors);
    if (!this.ready) return;
    if (gone.length > 0) this.send({ op: "unsubscribe", sensors: gone });
    if (fresh.length > 0) this.subscribe(fresh, null);
    this.subscribed = new Set(sensors);
  }

  /** Hear the events of this project, and of no other. */
  project(id: string | null): void {
    const before = this.projectId;
    this.projectId = id;
    if (!this.ready || before === id) return;
    if (before !== null) this.send({ op: "unsubscribe", projects: [before] });
    this.followProject();
  }

  /** Hear what the captures of these runs hold, and of no others. */
  runs(ids: ReadonlySet<string>): void {
    const gone = [...this.followed].filter((id) => !ids.has(id));
    const fresh = [...ids].filter((id) => !this.followed.has(id));
    this.followed = new Set(ids);
    if (!this.ready) return;
    if (gone.length > 0) this.send({ op: "unsubscribe", runs: gone });
    this.followRuns(fresh);
  }

  retryNow(): void {
    if (this.socket === null && this.token !== null) this.connect();
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.events.status("connecting", null);
    const socket = new WebSocket(`${this.origin.replace(/^http/, "ws")}/api/v1/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.heardAt = Date.now();
    socket.onopen = () => this.send({ op: "auth", access_token: this.token });
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      this.heardAt = Date.now();
      if (typeof event.data === "string") this.control(JSON.parse(event.data) as Control);
      else this.frame(decodeFrame(event.data));
    };
    socket.onclose = (event) => this.closed(socket, event.code);
    this.pingTimer ??= setInterval(() => this.ping(), PING_S * 1000);
  }

  private frame(frame: Frame): void {
    if (frame.cursor !== "") this.cursor = frame.cursor;
    this.events.frame(frame);
  }

  private control(message: Control): void {
    if (message.op === "ready" && message.now !== undefined) {
      this.events.clock(message.now - Date.now() / 1000);
      if (this.ready) return;
      this.ready = true;
      this.retryS = FIRST_RETRY_S;
      this.subscribed = new Set(this.wanted);
      if (this.wanted.size > 0) this.subscribe([...this.wanted], this.cursor);
      this.followProject();
      this.followRuns([...this.followed]);
      this.events.status("live", null);
    } else if (message.op === "pong" && message.now !== undefined) {
      const halfTrip = (Date.now() - this.sentPingAt) / 2000;
      this.events.clock(message.now + halfTrip - Date.now() / 1000);
      // While all is quiet this keeps the place to resume within what the hub still holds.
      if (typeof message.cursor === "string" && this.subscribed.size > 0) this.cursor = message.cursor;
    } else if (message.op === "gap") {
      this.cursor = null;
      this.events.gap();
    } else if (message.op === "access") {
      this.events.access({ gone: message.gone ?? [], raw: message.raw ?? {} });
    } else if (message.op === "capture_ledger" && message.capture_id !== undefined && message.ledger !== undefined) {
      this.events.ledger({ captureId: message.capture_id, ledger: message.ledger });
    } else if (message.op === "states") {
      this.events.states(Object.fromEntries((message.sensors ?? []).map((each) => [each.sensor_id, each.state])));
    } else if (message.op === "vectors") {
      const vectors = message.vectors ?? [];
      this.events.vectors(vectors.map(({ sensor_id: id, t, physical }) => ({ id, t, physical: physical ?? [] })));
    } else if (message.op === "event" && message.kind !== undefined && message.project_id !== undefined) {
      const { kind, project_id: projectId, subject_id: subjectId = null, details = {} } = message;
      this.events.event({ kind, projectId, subjectId, details });
    } else if (message.op === "subscribed" && typeof message.cursor === "string") {
      this.cursor ??= message.cursor;
    }
  }

  private subscribe(sensors: readonly string[], since: string | null): void {
    this.send({ op: "subscribe", sensors, encoding: "binary", ...(since === null ? {} : { since }) });
  }

  private followProject(): void {
    if (this.projectId !== null) this.send({ op: "subscribe", projects: [this.projectId] });
  }

  private followRuns(runs: readonly string[]): void {
    // One by one: a run that was deleted meanwhile is refused, and takes no other with it.
    for (const id of runs) this.send({ op: "subscribe", runs: [id], ledger: true, samples: false });
  }

  private ping(): void {
    if (this.socket === null) return;
    if (Date.now() - this.heardAt > SILENCE_S * 1000) {
      this.socket.close();
      return;
    }
    this.sentPingAt = Date.now();
    if (this.ready) this.send({ op: "ping" });
  }

  private closed(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.ready = false;
    this.subscribed.clear();
    if (this.token === null) return;
    if (code === CLOSED_EXPIRED) this.events.tokenNeeded();
    const waitS = this.retryS * (0.8 + 0.4 * Math.random());
    this.retryS = Math.min(LONGEST_RETRY_S, this.retryS * 2);
    this.events.status("lost", Date.now() + waitS * 1000);
    this.retryTimer = setTimeout(() => this.retryNow(), waitS * 1000);
  }

  private drop(): void {
    clearTimeout(this.retryTimer);
    const socket = this.socket;
    this.socket = null;
    this.ready = false;
    this.subscribed.clear();
    socket?.close();
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
