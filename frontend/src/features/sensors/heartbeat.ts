/** The interval of a sensor's heartbeats as people type it. */

import { parseNumber } from "@/ui/profile-fields";

const LONGEST_S = 604_800;

/** In seconds; null where the hub would refuse it. */
export function parseHeartbeat(text: string): number | null {
  const value = parseNumber(text);
  return value === null || value <= 0 || value > LONGEST_S ? null : value;
}
