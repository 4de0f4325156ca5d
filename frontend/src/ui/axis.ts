/** The axis of a sensor whose samples are arrays: as people type it, and as they read it. */

import type { TFunction } from "i18next";

import type { Axis } from "@/api/model";

import { exact } from "./format";
import { parseNumber } from "./profile-fields";

export const MOST_VALUES = 16_384;

export interface AxisFields {
  readonly on: boolean;
  readonly quantity: string;
  readonly unit: string;
  readonly start: string;
  readonly step: string;
  readonly count: string;
}

export type AxisError = "quantity" | "number" | "step" | "count";

export interface ParsedAxis {
  readonly axis: Axis | null;
  readonly errors: Readonly<Partial<Record<keyof AxisFields, AxisError>>>;
}

/** Null without an axis, and while a field is wrong. */
export function parseAxis(fields: AxisFields): ParsedAxis {
  if (!fields.on) return { axis: null, errors: {} };
  const quantity = fields.quantity.trim();
  const [start, step, count] = [parseNumber(fields.start), parseNumber(fields.step), parseNumber(fields.count)];
  const errors: Partial<Record<keyof AxisFields, AxisError>> = {};
  if (quantity === "") errors.quantity = "quantity";
  if (start === null || !Number.isFinite(start)) errors.start = "number";
  if (step === null || step <= 0 || !Number.isFinite(step)) errors.step = "step";
  if (count === null || !Number.isInteger(count) || count < 1 || count > MOST_VALUES) errors.count = "count";
  if (start === null || step === null || count === null || Object.keys(errors).length > 0) return { axis: null, errors };
  return { axis: { quantity, unit: fields.unit.trim(), start, step, count }, errors };
}

/** "512 values, 0 … 1,022 Hz, every 2 Hz". */
export function axisWords({ start = 0, step, count, unit }: Axis, t: TFunction): string {
  const of = (value: number): string => exact(value);
  const withUnit = (value: number): string => `${of(value)} ${unit}`.trimEnd();
  return t("axis.words", { count, n: of(count), from: of(start), to: withUnit(start + step * (count - 1)), step: withUnit(step) });
}
