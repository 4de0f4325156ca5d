/** Decodes the binary frame of the live channel and of sample answers; columns are views on the received buffer. */

import type { Gap } from "./gaps";

export const FRAME_TYPE = "application/vnd.etp.frame";
const MAGIC = 0x31505445;
const HAS_RAW = 1;
const HAS_PHYSICAL = 2;
const HAS_STATUS = 4;
const TELLS_GAPS = 8;
const GAP_BYTES = 16;

export interface FrameSeries {
  readonly sensorId: string;
  /** Seconds since 1970, as sent. */
  readonly t: Float64Array;
  /** Null where the reader may not see raw values. */
  readonly raw: Float64Array | null;
  /** NaN where a value could not be converted. */
  readonly physical: Float64Array | null;
  readonly status: Uint8Array | null;
  readonly decimated: boolean;
  /** NaN when unknown. */
  readonly delayMs: number;
  /** Samples that the range holds, decimated or not. */
  readonly total: number;
  /** Where nothing came, from the last sample before to the first after; null where nobody looked, as in live frames. */
  readonly gaps: readonly Gap[] | null;
}

export interface Frame {
  readonly cursor: string;
  /** How many frames the hub folded into this one because this reader was slow. */
  readonly merged: number;
  readonly series: readonly FrameSeries[];
}

export class FrameInvalid extends Error {
  override readonly name = "FrameInvalid";
}

const padded = (bytes: number): number => (bytes + 7) & ~7;

function uuidAt(bytes: Uint8Array, at: number): string {
  let hex = "";
  for (let i = at; i < at + 16; i += 1) hex += (bytes[i] ?? 0).toString(16).padStart(2, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Decode one frame; throws FrameInvalid where lengths and content disagree. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  if (buffer.byteLength < 16 || view.getUint32(0, true) !== MAGIC) throw new FrameInvalid("not a frame");
  const count = view.getUint16(4, true);
  const cursorBytes = view.getUint16(6, true);
  const merged = view.getUint32(8, true);
  if (16 + padded(cursorBytes) > buffer.byteLength) throw new FrameInvalid("the cursor runs past the end");
  const cursor = new TextDecoder().decode(bytes.subarray(16, 16 + cursorBytes)).replace(/\0+$/, "");
  let at = 16 + padded(cursorBytes);

  const series: Omit<FrameSeries, "gaps">[] = [];
  const told: (number | null)[] = [];
  for (let i = 0; i < count; i += 1) {
    if (at + 40 > buffer.byteLength) throw new FrameInvalid("a series head runs past the end");
    const sensorId = uuidAt(bytes, at);
    const n = view.getUint32(at + 16, true);
    const flags = view.getUint8(at + 20);
    const decimated = view.getUint8(at + 21) !== 0;
    told.push((flags & TELLS_GAPS) !== 0 ? view.getUint16(at + 22, true) : null);
    const delayMs = view.getFloat64(at + 24, true);
    const total = Number(view.getBigUint64(at + 32, true));
    at += 40;
    const columns = 1 + Number((flags & HAS_RAW) !== 0) + Number((flags & HAS_PHYSICAL) !== 0);
    const size = columns * n * 8 + ((flags & HAS_STATUS) !== 0 ? padded(n) : 0);
    if (at + size > buffer.byteLength) throw new FrameInvalid("a column runs past the end");
    const column = (): Float64Array => {
      const values = new Float64Array(buffer, at, n);
      at += n * 8;
      return values;
    };
    const t = column();
    const raw = (flags & HAS_RAW) !== 0 ? column() : null;
    const physical = (flags & HAS_PHYSICAL) !== 0 ? column() : null;
    let status: Uint8Array | null = null;
    if ((flags & HAS_STATUS) !== 0) {
      status = bytes.subarray(at, at + n);
      at += padded(n);
    }
    series.push({ sensorId, t, raw, physical, status, decimated, delayMs, total });
  }
  // Behind all series, where readers that know no gaps stop.
  const withGaps = series.map((one, i): FrameSeries => {
    const count = told[i] ?? null;
    if (count === null) return { ...one, gaps: null };
    const start = at;
    at += GAP_BYTES * count;
    if (at > buffer.byteLength) throw new FrameInvalid("the gaps run past the end");
    const pairs = new Float64Array(buffer, start, 2 * count);
    return { ...one, gaps: Array.from({ length: count }, (_, k) => ({ from: pairs[2 * k] ?? NaN, to: pairs[2 * k + 1] ?? NaN })) };
  });
  return { cursor, merged, series: withGaps };
}
