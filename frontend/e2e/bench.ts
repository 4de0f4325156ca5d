/** A test bench: publishes samples with an edge agent's token and remembers which were acknowledged. */

import { randomUUID } from "node:crypto";

export interface Published {
  /** Microseconds since 1970. */
  readonly tUs: number;
  readonly value: number;
}

interface Page<T> {
  readonly items: T[];
}

const SAMPLES_A_BATCH = 10;
const BATCH_MS = 200;

/** Microseconds as RFC 3339. */
export function rfc3339(us: number): string {
  const micros = String(us % 1_000_000).padStart(6, "0");
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, 19)}.${micros}Z`;
}

/** RFC 3339 as microseconds, exactly. */
export function microseconds(text: string): number {
  const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? "";
  return Date.parse(text.replace(/\.\d+Z$/, "Z")) * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

export class Bench {
  readonly published = new Map<string, Published[]>();
  private running: Promise<void> | null = null;
  private stopping = false;
  private count = 0;

  private constructor(
    private readonly base: string,
    private readonly user: string,
    private readonly agent: string,
    readonly projectId: string,
  ) {}

  static async open(base: string, email: string, password: string): Promise<Bench> {
    const json = { "Content-Type": "application/json" };
    const login = await fetch(`${base}/api/v1/auth/login`, { method: "POST", headers: json, body: JSON.stringify({ email, password }) });
    const { access_token: user } = (await login.json()) as { access_token: string };
    const headers = { ...json, Authorization: `Bearer ${user}` };
    const projects = (await (await fetch(`${base}/api/v1/projects`, { headers })).json()) as Page<{ id: string }>;
    const projectId = projects.items[0]?.id ?? "";
    const made = await fetch(`${base}/api/v1/projects/${projectId}/edge-agents`, {
      method: "POST",
      headers,
      body: JSON.stringify({ name: `e2e ${randomUUID().slice(0, 8)}`, default: false }),
    });
    const agent = (await made.json()) as { token: string; id: string };
    return new Bench(base, user, agent.token, projectId).assigning(agent.id);
  }

  private agentId = "";
  private assigning(id: string): this {
    this.agentId = id;
    return this;
  }

  /** Read something of the API as the bench's user. */
  async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.base}/api/v1${path}`, { headers: { Authorization: `Bearer ${this.user}` } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Create or do something as the bench's user. */
  async post<T>(path: string, body: object): Promise<T> {
    return this.send<T>("POST", path, body);
  }

  async put(path: string, body: object): Promise<void> {
    await this.send("PUT", path, body);
  }

  private async send<T>(method: string, path: string, body: object): Promise<T> {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${this.user}` };
    const answer = await fetch(`${this.base}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Let the bench send for a sensor. */
  async take(sensorId: string): Promise<void> {
    const answer = await fetch(`${this.base}/api/v1/sensors/${sensorId}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.user}` },
      body: JSON.stringify({ agent_id: this.agentId }),
    });
    if (!answer.ok) throw new Error(`assigning: ${answer.status} ${await answer.text()}`);
    this.published.set(sensorId, []);
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      await this.batch();
      await new Promise((resolve) => setTimeout(resolve, BATCH_MS));
    }
  }

  private async batch(): Promise<void> {
    const nowUs = Date.now() * 1000;
    const stepUs = (BATCH_MS * 1000) / SAMPLES_A_BATCH;
    const batch = [...this.published.keys()].map((sensorId, k) => ({
      sensorId,
      samples: Array.from({ length: SAMPLES_A_BATCH }, (_, i) => {
        // Odd microseconds and full mantissas: rounding anywhere on the way would show.
        const tUs = nowUs - (SAMPLES_A_BATCH - i) * stepUs + ((this.count * 7 + i) % 997);
        const phase = (this.count * SAMPLES_A_BATCH + i) / 40 + k;
        return { tUs, value: 3 + Math.sin(phase) + Math.sin(phase * 7.3) / 50 };
      }),
    }));
    this.count += 1;
    const series = batch.map(({ sensorId, samples }) => ({
      sensor_id: sensorId,
      t: samples.map((sample) => sample.tUs / 1e6),
      v: samples.map((sample) => sample.value),
    }));
    const answer = await fetch(`${this.base}/telemetry`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.agent}` },
      body: JSON.stringify({ series }),
    });
    if (answer.status !== 202) throw new Error(`telemetry: ${answer.status} ${await answer.text()}`);
    for (const { sensorId, samples } of batch) this.published.get(sensorId)?.push(...samples);
  }
}
