/** What a person types to test a sensor, and the packet that it makes. */

import type { Axis } from "@/api/model";
import { parseNumber } from "@/ui/profile-fields";

export type PacketForm = "value" | "packet";
export type PacketError = "number" | "array" | "json" | "object";

export type ParsedPacket = { readonly text: string } | { readonly error: PacketError; readonly what: string };

const fault = (error: PacketError, what = ""): ParsedPacket => ({ error, what });

/** What is no JSON is told here; everything else is the hub's to judge. */
export function parsePacket(form: PacketForm, typed: string, axis: Axis | null): ParsedPacket {
  if (form === "value" && axis === null) {
    const value = parseNumber(typed);
    return value === null || !Number.isFinite(value) ? fault("number") : { text: packetOf(value) };
  }
  let read: unknown;
  try {
    read = JSON.parse(typed);
  } catch (error) {
    return form === "value" ? fault("array") : fault("json", error instanceof Error ? error.message : String(error));
  }
  if (form === "value") return Array.isArray(read) ? { text: packetOf(read) } : fault("array");
  return typeof read === "object" && read !== null && !Array.isArray(read) ? { text: typed } : fault("object");
}

const packetOf = (v: unknown): string => JSON.stringify({ samples: [{ v, meta: { test: true } }] });

/** A smooth peak a third of the way along, for whoever has no array at hand. */
export function exampleArray({ count }: Axis): number[] {
  return Array.from({ length: count }, (_, i) => Math.round(1000 * Math.exp(-(((i - count / 3) / Math.max(1, count / 30)) ** 2))) / 1000);
}

export function examplePacket(axis: Axis | null, nowS: number): string {
  const v = axis === null ? "1.5" : JSON.stringify(exampleArray(axis));
  return `{"samples": [\n  {"t": "${new Date(nowS * 1000).toISOString()}", "v": ${v}}\n]}`;
}
