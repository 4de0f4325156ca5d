/** The fields of a conversion as people type them, and the payload that they make. */

import type { Payload } from "@/api/profiles";

export type ProfileKind = "linear" | "table" | "custom" | "none";

export interface ProfileFields {
  readonly kind: ProfileKind;
  readonly slope: string;
  readonly intercept: string;
  /** One point a line: raw, physical. */
  readonly points: string;
  readonly extrapolation: "clamp" | "linear" | "reject";
  readonly expression: string;
  /** One constant a line: name = value. */
  readonly constants: string;
  readonly low: string;
  readonly high: string;
}

export const NO_FIELDS: ProfileFields = {
  kind: "linear", slope: "1", intercept: "0", points: "", extrapolation: "clamp", expression: "", constants: "", low: "", high: "",
};

export type FieldError = "number" | "points" | "order" | "range" | "expression" | "constants";

export interface ParsedProfile {
  readonly payload: Payload | null;
  readonly errors: Readonly<Partial<Record<keyof ProfileFields, FieldError>>>;
}

type Errors = Partial<Record<keyof ProfileFields, FieldError>>;

/** A number with a point or a comma, a plain or a true minus; null where there is none. */
export function parseNumber(text: string): number | null {
  const plain = text.trim().replace("\u2212", "-").replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  return Number(plain);
}

/** Pairs by line; columns apart by a space, tab, semicolon or a comma with a space. */
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

/** Constants by line: name = value. */
export function parseConstants(text: string): Record<string, number> | null {
  const constants: Record<string, number> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [name, value, ...rest] = line.split("=").map((part) => part.trim());
    const number = parseNumber(value ?? "");
    if (name === undefined || !/^[A-Za-z]\w*$/.test(name) || name in constants || number === null || rest.length > 0) return null;
    constants[name] = number;
  }
  return constants;
}

export function parseProfile(fields: ProfileFields): ParsedProfile {
  const errors: Errors = {};
  if (fields.kind === "none") return { payload: null, errors };
  const range = inputRange(fields, errors);
  const made = fields.kind === "linear" ? linear(fields, errors) : fields.kind === "table" ? table(fields, errors) : custom(fields, errors);
  return { payload: made === null || Object.keys(errors).length > 0 ? null : { ...made, ...range }, errors };
}

function linear(fields: ProfileFields, errors: Errors): Payload | null {
  const slope = parseNumber(fields.slope);
  const intercept = parseNumber(fields.intercept);
  if (slope === null) errors.slope = "number";
  if (intercept === null) errors.intercept = "number";
  return slope === null || intercept === null ? null : { kind: "linear", slope, intercept };
}

function table(fields: ProfileFields, errors: Errors): Payload | null {
  const points = parsePoints(fields.points);
  if (points === null) errors.points = "points";
  else if (points.some(([raw], i) => i > 0 && raw <= (points[i - 1]?.[0] ?? 0))) errors.points = "order";
  return points === null ? null : { kind: "table", points, extrapolation: fields.extrapolation };
}

function custom(fields: ProfileFields, errors: Errors): Payload | null {
  const constants = parseConstants(fields.constants);
  if (fields.expression.trim() === "") errors.expression = "expression";
  if (constants === null) errors.constants = "constants";
  return constants === null ? null : { kind: "custom", expression: fields.expression.trim(), constants };
}

function inputRange(fields: ProfileFields, errors: Errors): { input_range?: [number, number] } {
  if (fields.low.trim() === "" && fields.high.trim() === "") return {};
  const low = parseNumber(fields.low);
  const high = parseNumber(fields.high);
  if (low === null) errors.low = "number";
  if (high === null) errors.high = "number";
  if (low === null || high === null) return {};
  if (low >= high) errors.high = "range";
  return { input_range: [low, high] };
}

/** The fields that make a payload, to go on from it. */
export function fieldsOf(payload: Payload): ProfileFields {
  const [low, high] = payload.input_range ?? ["", ""];
  const fields = { ...NO_FIELDS, kind: payload.kind, low: String(low), high: String(high) };
  switch (payload.kind) {
    case "linear":
      return { ...fields, slope: String(payload.slope), intercept: String(payload.intercept) };
    case "table":
      return { ...fields, points: payload.points.map((point) => point.join(" ")).join("\n"), extrapolation: payload.extrapolation ?? "clamp" };
    case "custom": {
      const constants = Object.entries(payload.constants ?? {}).map(([name, value]) => `${name} = ${value}`);
      return { ...fields, expression: payload.expression, constants: constants.join("\n") };
    }
  }
}

/** What a line or a table makes of a raw value; of an expression only the hub can tell. */
export function previewOf(payload: Payload | null, raw: number): number | null {
  if (payload === null || payload.kind === "custom") return null;
  if (payload.kind === "linear") return payload.slope * raw + payload.intercept;
  const points = payload.points;
  const extrapolation = payload.extrapolation ?? "clamp";
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return null;
  const beyond = raw < first[0] || raw > last[0];
  if (beyond && extrapolation === "reject") return null;
  if (beyond && extrapolation === "clamp") return raw < first[0] ? first[1] : last[1];
  const above = points.findIndex(([x]) => x >= raw);
  const at = Math.max(1, above < 0 ? points.length - 1 : above);
  const [x0, y0] = points[at - 1] ?? first;
  const [x1, y1] = points[at] ?? last;
  if (raw === x0 || raw === x1) return raw === x0 ? y0 : y1;
  return y0 + ((raw - x0) / (x1 - x0)) * (y1 - y0);
}
