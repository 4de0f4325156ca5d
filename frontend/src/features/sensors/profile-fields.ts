/** The fields of a conversion as people type them, and the payload that they make. */

import type { SensorCreate } from "@/api/model";

export type ProfileKind = "linear" | "table" | "none";

export interface ProfileFields {
  readonly kind: ProfileKind;
  readonly slope: string;
  readonly intercept: string;
  /** One point a line: raw, physical. */
  readonly points: string;
  readonly extrapolation: "clamp" | "linear" | "reject";
  readonly low: string;
  readonly high: string;
}

export const NO_FIELDS: ProfileFields = { kind: "linear", slope: "1", intercept: "0", points: "", extrapolation: "clamp", low: "", high: "" };

type Payload = NonNullable<SensorCreate["profile"]>;
export type FieldError = "number" | "points" | "order" | "range";

export interface ParsedProfile {
  readonly payload: Payload | null;
  readonly errors: Readonly<Partial<Record<keyof ProfileFields, FieldError>>>;
}

/** A number with a point or a comma, a plain or a true minus; null where there is none. */
export function parseNumber(text: string): number | null {
  const plain = text.trim().replace("\u2212", "-").replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  return Number(plain);
}

/** Points by line; columns apart by a space, tab, semicolon or a comma with a space. */
export function parsePoints(text: string): [number, number][] | null {
  const points: [number, number][] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const columns = line.trim().split(/\s*[;\t]\s*|,\s+|\s+/);
    const simple = columns.length === 1 ? line.trim().split(",") : columns;
    const [raw, physical] = [parseNumber(simple[0] ?? ""), parseNumber(simple[1] ?? "")];
    if (simple.length !== 2 || raw === null || physical === null) return null;
    points.push([raw, physical]);
  }
  return points.length >= 2 ? points : null;
}

export function parseProfile(fields: ProfileFields): ParsedProfile {
  const errors: Partial<Record<keyof ProfileFields, FieldError>> = {};
  if (fields.kind === "none") return { payload: null, errors };
  const range = inputRange(fields, errors);
  if (fields.kind === "linear") {
    const slope = parseNumber(fields.slope);
    const intercept = parseNumber(fields.intercept);
    if (slope === null) errors.slope = "number";
    if (intercept === null) errors.intercept = "number";
    if (slope === null || intercept === null || Object.keys(errors).length > 0) return { payload: null, errors };
    return { payload: { kind: "linear", slope, intercept, ...range }, errors };
  }
  const points = parsePoints(fields.points);
  if (points === null) errors.points = "points";
  else if (points.some(([raw], i) => i > 0 && raw <= (points[i - 1]?.[0] ?? 0))) errors.points = "order";
  if (points === null || Object.keys(errors).length > 0) return { payload: null, errors };
  return { payload: { kind: "table", points, extrapolation: fields.extrapolation, ...range }, errors };
}

function inputRange(fields: ProfileFields, errors: Partial<Record<keyof ProfileFields, FieldError>>): { input_range?: [number, number] } {
  if (fields.low.trim() === "" && fields.high.trim() === "") return {};
  const low = parseNumber(fields.low);
  const high = parseNumber(fields.high);
  if (low === null) errors.low = "number";
  if (high === null) errors.high = "number";
  if (low === null || high === null) return {};
  if (low >= high) errors.high = "range";
  return { input_range: [low, high] };
}

/** What a raw value becomes, for the preview line beside the form. */
export function previewOf(payload: Payload | null, raw: number): number | null {
  if (payload === null || payload.kind === "custom") return null;
  if (payload.kind === "linear") return payload.slope * raw + payload.intercept;
  const { points } = payload;
  const at = points.findIndex(([x]) => x >= raw);
  const [x1, y1] = points[at] ?? [NaN, NaN];
  const [x0, y0] = points[at - 1] ?? [NaN, NaN];
  if (raw === x1) return y1;
  return at <= 0 ? null : y0 + ((raw - x0) / (x1 - x0)) * (y1 - y0);
}
