/** Axis ticks in steps of 1, 2 and 5, and their labels with fixed decimals. */

import { clock, clockMinutes, clockTenths, fixed } from "@/ui/format";

/** The smallest step of 1, 2 or 5 times a power of ten that is not below `atLeast`. */
export function step125(atLeast: number): number {
  if (!(atLeast > 0) || !Number.isFinite(atLeast)) return 1;
  const power = 10 ** Math.floor(Math.log10(atLeast) + 1e-9);
  for (const factor of [1, 2, 5]) if (factor * power >= atLeast * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

export function splits(min: number, max: number, step: number): number[] {
  const first = Math.ceil(min / step - 1e-6);
  const last = Math.floor(max / step + 1e-6);
  const ticks: number[] = [];
  for (let k = first; k <= last && ticks.length < 200; k += 1) ticks.push(k * step);
  return ticks;
}

/** Decimals that tell neighbouring ticks apart. */
export function decimalsOf(step: number): number {
  return Math.max(0, Math.min(9, Math.ceil(-Math.log10(step) - 1e-9)));
}

export function tickLabels(ticks: readonly number[], step: number): string[] {
  const decimals = decimalsOf(step);
  return ticks.map((tick) => fixed(tick, decimals));
}

const TIME_STEPS_S = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];
const LABEL_PX = 90;

export function timeStep(spanS: number, widthPx: number): number {
  const atLeast = (spanS * LABEL_PX) / Math.max(widthPx, LABEL_PX);
  return TIME_STEPS_S.find((step) => step >= atLeast) ?? 86_400 * Math.ceil(atLeast / 86_400);
}

/** Ticks at round local times. */
export function timeSplits(min: number, max: number, step: number): number[] {
  const offset = -new Date(min * 1000).getTimezoneOffset() * 60;
  return splits(min + offset, max + offset, step).map((tick) => tick - offset);
}

export function timeLabel(at: number, step: number): string {
  if (step >= 60) return clockMinutes(at + 0.001);
  return step >= 1 ? clock(at + 0.001) : clockTenths(at + 0.001);
}
