/** The page's end of the telemetry worker: hands out readings and views, holds no samples of its own. */

import type { AccessChange, FromWorker, Heard, HubEvent, Intake, LedgerChange, LiveState, Reading, Spark, ToWorker, VectorReading, ViewData, ViewSpec, Watched } from "./protocol";

export interface LiveStatus {
  readonly state: LiveState;
  /** Seconds since 1970 by the hub's clock when the next attempt starts. */
  readonly retryAt: number | null;
}

export interface OpenView {
  readonly update: (spec: ViewSpec) => void;
  readonly close: () => void;
}

type Listener = () => void;

/** Listeners by topic; a topic is a sensor id or one of the fixed words. */
class Topics {
  private readonly listeners = new Map<string, Set<Listener>>();

  on(topic: string, listener: Listener): Listener {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener));
    return () => set.delete(listener);
  }

  emit(topic: string): void {
    this.listeners.get(topic)?.forEach((listener) => listener());
  }
}

export class TelemetryClient {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "telemetry" });
  private readonly topics = new Topics();
  private readonly readings = new Map<string, Reading>();
  private readonly sparks = new Map<string, Spark>();
  private readonly vectors = new Map<string, VectorReading>();
  private readonly views = new Map<number, (data: ViewData) => void>();
  private readonly accessListeners = new Set<(change: AccessChange) => void>();
  private readonly eventListeners = new Set<(event: HubEvent) => void>();
  private readonly stateListeners = new Set<(states: Readonly<Record<string, Heard>>) => void>();
  private readonly ledgerListeners = new Set<(change: LedgerChange) => void>();
  private readonly followed = new Map<object, string>();
  private readonly watches = new Map<object, readonly Watched[]>();
  private nextView = 1;
  private live: LiveStatus = { state: "idle", retryAt: null };
  private flow: Intake = { ratePerS: 0, delayMeanMs: null, delayP99Ms: null };
  private clockOffsetS = 0;
  private generation = 0;
  /** Called when the worker's token was refused. */
  onTokenNeeded: () => void = () => undefined;

  constructor() {
    this.worker.onmessage = (event: MessageEvent<FromWorker>) => this.take(event.data);
  }

  session(token: string | null): void {
    this.post({ op: "session", token, origin: window.location.origin });
    if (token !== null) return;
    this.readings.clear();
    this.sparks.clear();
    this.vectors.clear();
  }

  /** Keep readings and curves of these sensors up to date until the returned function is called. */
  watch(sensors: readonly Watched[]): () => void {
    const key = {};
    this.watches.set(key, sensors);
    this.sendWatched();
    return () => {
      this.watches.delete(key);
      this.sendWatched();
    };
  }

  /** Hear the events of this project, and of no other. */
  project(id: string | null): void {
    this.post({ op: "project", id });
  }

  /** Hear what this run's captures hold until the returned function is called. */
  follow(runId: string): () => void {
    const key = {};
    this.followed.set(key, runId);
    this.sendFollowed();
    return () => {
      this.followed.delete(key);
      this.sendFollowed();
    };
  }

  open(spec: ViewSpec, take: (data: ViewData) => void): OpenView {
    const id = this.nextView++;
    this.views.set(id, take);
    this.post({ op: "view", id, spec });
    return {
      update: (next) => this.post({ op: "view", id, spec: next }),
      close: () => {
        this.views.delete(id);
        this.post({ op: "close", id });
      },
    };
  }

  retryNow(): void {
    this.post({ op: "retry" });
  }

  /** Seconds since 1970 by the hub's clock. */
  nowS(): number {
    return Date.now() / 1000 + this.clockOffsetS;
  }

  status = (): LiveStatus => this.live;
  intake = (): Intake => this.flow;
  reading = (id: string): Reading | undefined => this.readings.get(id);
  spark = (id: string): Spark | undefined => this.sparks.get(id);
  vector = (id: string): VectorReading | undefined => this.vectors.get(id);
  /** Grows with every set of readings, for lists that show many. */
  round = (): number => this.generation;

  onStatus = (listener: Listener): Listener => this.topics.on("status", listener);
  onRound = (listener: Listener): Listener => this.topics.on("round", listener);
  onReading = (id: string, listener: Listener): Listener => this.topics.on(id, listener);
  onVector = (id: string, listener: Listener): Listener => this.topics.on(`vector ${id}`, listener);
  onSpark = (id: string, listener: Listener): Listener => this.topics.on(`spark ${id}`, listener);

  /** Hear when the hub says that what one may see has changed. */
  onAccess(listener: (change: AccessChange) => void): Listener {
    this.accessListeners.add(listener);
    return () => this.accessListeners.delete(listener);
  }

  onEvent(listener: (event: HubEvent) => void): Listener {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  onLedger(listener: (change: LedgerChange) => void): Listener {
    this.ledgerListeners.add(listener);
    return () => this.ledgerListeners.delete(listener);
  }

  /** Hear how all sensors of the project are, whenever that is told anew. */
  onStates(listener: (states: Readonly<Record<string, Heard>>) => void): Listener {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  private take(message: FromWorker): void {
    switch (message.op) {
      case "status":
        this.clockOffsetS = message.clockOffsetS;
        this.live = { state: message.state, retryAt: message.retryAt === null ? null : message.retryAt / 1000 + message.clockOffsetS };
        this.topics.emit("status");
        break;
      case "token-needed":
        this.onTokenNeeded();
        break;
      case "access":
        this.accessListeners.forEach((listener) => listener(message.change));
        break;
      case "event":
        this.eventListeners.forEach((listener) => listener(message.event));
        break;
      case "ledger":
        this.ledgerListeners.forEach((listener) => listener(message.change));
        break;
      case "states":
        this.stateListeners.forEach((listener) => listener(message.states));
        break;
      case "readings":
        this.flow = message.intake;
        this.generation += 1;
        for (const reading of message.readings) {
          const shown = this.readings.get(reading.id);
          if (shown !== undefined && looksSame(shown, reading)) continue;
          this.readings.set(reading.id, reading);
          this.topics.emit(reading.id);
        }
        this.topics.emit("round");
        break;
      case "sparks":
        for (const spark of message.sparks) {
          this.sparks.set(spark.id, spark);
          this.topics.emit(`spark ${spark.id}`);
        }
        break;
      case "vectors":
        for (const vector of message.vectors) {
          this.vectors.set(vector.id, vector);
          this.topics.emit(`vector ${vector.id}`);
        }
        break;
      case "view":
        this.views.get(message.id)?.(message.data);
        this.post({ op: "taken", id: message.id });
        break;
    }
  }

  private sendWatched(): void {
    const sensors = new Map<string, Watched>();
    for (const group of this.watches.values()) for (const sensor of group) sensors.set(sensor.id, sensor);
    this.post({ op: "watch", sensors: [...sensors.values()] });
  }

  private sendFollowed(): void {
    this.post({ op: "runs", ids: [...new Set(this.followed.values())] });
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }
}

/** Nothing of it would be drawn differently. */
function looksSame(a: Reading, b: Reading): boolean {
  return (
    a.t === b.t &&
    a.delayMs === b.delayMs &&
    a.raw === b.raw &&
    Math.abs(a.ratePerS - b.ratePerS) < 0.005 * b.ratePerS + 1e-9 &&
    a.beats.every((beat, i) => beat === b.beats[i])
  );
}
