/** Reads sample history from the hub as binary frames, few requests at a time. */

import { decodeFrame, FRAME_TYPE, type FrameSeries } from "./frames";

const AT_ONCE = 4;

export interface HistoryRequest {
  readonly sensorId: string;
  readonly captureId: string | null;
  /** Of a capture: whose physical values; none for the newest. */
  readonly revision?: number | null;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly maxPoints: number;
}

export class HistoryFailed extends Error {
  override readonly name = "HistoryFailed";
  constructor(
    readonly status: number,
    title: string,
  ) {
    super(title);
  }
}

export class History {
  token: string | null = null;
  origin = "";
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly tokenNeeded: () => void) {}

  async read(request: HistoryRequest): Promise<FrameSeries | null> {
    if (this.running >= AT_ONCE) await new Promise<void>((go) => this.waiting.push(go));
    this.running += 1;
    try {
      return await this.fetch(request);
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }

  private async fetch(request: HistoryRequest): Promise<FrameSeries | null> {
    const query = new URLSearchParams({
      from: rfc3339(request.from),
      to: rfc3339(request.to),
      max_points: String(request.maxPoints),
    });
    const path =
      request.captureId === null
        ? `/api/v1/sensors/${request.sensorId}/samples`
        : `/api/v1/captures/${request.captureId}/samples`;
    if (request.captureId !== null) {
      query.set("sensor_id", request.sensorId);
      if (request.revision != null) query.set("revision", String(request.revision));
    }
    const answer = await fetch(`${this.origin}${path}?${query.toString()}`, {
      headers: { Accept: FRAME_TYPE, Authorization: `Bearer ${this.token ?? ""}` },
    });
    if (answer.status === 401) this.tokenNeeded();
    if (!answer.ok) {
      const problem = (await answer.json().catch(() => ({}))) as { title?: string };
      throw new HistoryFailed(answer.status, problem.title ?? answer.statusText);
    }
    return decodeFrame(await answer.arrayBuffer()).series[0] ?? null;
  }
}

/** Seconds since 1970 as RFC 3339 with microseconds. */
export function rfc3339(seconds: number): string {
  const whole = Math.floor(seconds);
  const micros = Math.min(999_999, Math.round((seconds - whole) * 1e6));
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, "0")}Z`;
}
