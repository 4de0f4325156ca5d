/** Writes frames as the hub does, to be read back by the decoder. */

export interface SeriesToWrite {
  readonly id: string;
  readonly t: readonly number[];
  readonly raw?: readonly number[];
  readonly physical?: readonly number[];
  readonly status?: readonly number[];
  readonly delayMs?: number;
  readonly total?: number;
  readonly decimated?: boolean;
  readonly gaps?: readonly (readonly [number, number])[];
}

const pad = (n: number): number => Math.ceil(n / 8) * 8;

export function buildFrame(series: readonly SeriesToWrite[], cursor = "", merged = 0): ArrayBuffer {
  const cursorBytes = new TextEncoder().encode(cursor);
  const sizeOf = (s: SeriesToWrite): number =>
    40 + 8 * s.t.length * (1 + Number(s.raw !== undefined) + Number(s.physical !== undefined)) + (s.status ? pad(s.t.length) : 0) + 16 * (s.gaps?.length ?? 0);
  const buffer = new ArrayBuffer(16 + pad(cursorBytes.length) + series.reduce((sum, s) => sum + sizeOf(s), 0));
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  bytes.set(new TextEncoder().encode("ETP1"), 0);
  view.setUint16(4, series.length, true);
  view.setUint16(6, cursorBytes.length, true);
  view.setUint32(8, merged, true);
  bytes.set(cursorBytes, 16);
  let at = 16 + pad(cursorBytes.length);
  for (const s of series) {
    const hex = s.id.replaceAll("-", "");
    for (let i = 0; i < 16; i += 1) bytes[at + i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    view.setUint32(at + 16, s.t.length, true);
    view.setUint8(at + 20, (s.raw ? 1 : 0) | (s.physical ? 2 : 0) | (s.status ? 4 : 0) | (s.gaps ? 8 : 0));
    view.setUint8(at + 21, s.decimated === true ? 1 : 0);
    view.setUint16(at + 22, s.gaps?.length ?? 0, true);
    view.setFloat64(at + 24, s.delayMs ?? NaN, true);
    view.setBigUint64(at + 32, BigInt(s.total ?? s.t.length), true);
    at += 40;
    for (const column of [s.t, s.raw, s.physical]) {
      if (column === undefined) continue;
      column.forEach((value, i) => view.setFloat64(at + 8 * i, value, true));
      at += 8 * column.length;
    }
    if (s.status !== undefined) {
      bytes.set(s.status, at);
      at += pad(s.t.length);
    }
  }
  for (const value of series.flatMap((s) => s.gaps ?? []).flat()) {
    view.setFloat64(at, value, true);
    at += 8;
  }
  return buffer;
}
