/** The limits of tokens: what the hub takes, what it begins with, and what people type. */

import type { Sensor } from "@/api/model";

import { parseNumber } from "./profile-fields";

export interface LimitRule {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
  readonly initial: number;
}

export type SensorLimit = "requests_per_s" | "burst" | "samples_per_s";

export const SENSOR_RULES: Record<SensorLimit, LimitRule> = {
  requests_per_s: { least: 0.0001, most: 10_000, whole: false, initial: 0.1 },
  burst: { least: 1, most: 100_000, whole: true, initial: 10 },
  samples_per_s: { least: 0.1, most: 1_000_000_000, whole: false, initial: 10_000 },
};

export const AGENT_RULE: LimitRule = { least: 0.1, most: 1_000_000_000, whole: false, initial: 100_000 };

/** The limits of a sensor's token, those that nobody set as they are at first. */
export function limitsOf({ limits }: Sensor): Record<SensorLimit, number> {
  return {
    requests_per_s: limits.requests_per_s ?? SENSOR_RULES.requests_per_s.initial,
    burst: limits.burst ?? SENSOR_RULES.burst.initial,
    samples_per_s: limits.samples_per_s ?? SENSOR_RULES.samples_per_s.initial,
  };
}

/** 10,000 is ten thousand to some and ten to others. */
const AMBIGUOUS = /^[1-9]\d{0,2}(,\d{3})+$/;

/** The limit that a text names; null where the hub would refuse it, and where people would read it differently. */
export function parseLimit(text: string, { least, most, whole }: LimitRule): number | null {
  const value = AMBIGUOUS.test(text.trim()) ? null : parseNumber(text);
  if (value === null || value < least || value > most || (whole && !Number.isInteger(value))) return null;
  return value;
}
