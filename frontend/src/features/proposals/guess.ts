/** What a channel probably is, from its name and unit: a start for the form, which an editor corrects. */

import type { Proposal, SensorType } from "@/api/model";

export interface Guess {
  readonly name: string;
  readonly type: SensorType;
  readonly unit: string;
}

/** Units as SenML registers them (RFC 8428, RFC 9100) or people write them, as this dashboard shows them. */
const UNITS: Readonly<Record<string, readonly [string, SensorType]>> = {
  Cel: ["°C", "temperature"],
  "°C": ["°C", "temperature"],
  K: ["K", "temperature"],
  "%RH": ["%", "humidity"],
  Pa: ["Pa", "pressure"],
  hPa: ["hPa", "pressure"],
  kPa: ["kPa", "pressure"],
  bar: ["bar", "pressure"],
  V: ["V", "voltage"],
  mV: ["mV", "voltage"],
  A: ["A", "current"],
  mA: ["mA", "current"],
  N: ["N", "force"],
  Nm: ["Nm", "torque"],
  "m3/s": ["m³/s", "flow"],
  "l/s": ["l/s", "flow"],
  "m/s2": ["m/s²", "vibration"],
};

/** Words within a name; the first that is found tells the type and the unit that is usual for it. */
const WORDS: readonly (readonly [RegExp, SensorType, string])[] = [
  [/temp|inlet|outlet/i, "temperature", "°C"],
  [/hum|\brh\b/i, "humidity", "%"],
  [/press|baro/i, "pressure", "Pa"],
  [/volt/i, "voltage", "V"],
  [/current|amp/i, "current", "A"],
  [/torque/i, "torque", "Nm"],
  [/force|load_?cell/i, "force", "N"],
  [/flow/i, "flow", "l/s"],
  [/vib|accel/i, "vibration", "m/s²"],
];

const MOST = 200;

/** The measured quantity stands last: `bath,lab=3/inlet`, `urn:dev:mac:0024befffe804ff1:voltage`. */
function quantity(name: string): string {
  return name.split(/(?<!\\)\/|:/).at(-1) ?? name;
}

/** The name as people would write it: without the marks of its format, tags by their values. */
function readable(name: string): string {
  const parts = name.split(/(?<!\\)[,/]/).map((part) => part.replace(/^[^=]*(?<!\\)=/, "").replace(/\\(.)/g, "$1"));
  return parts.filter((part) => part.trim() !== "").join(" ").trim().slice(0, MOST);
}

export function guess({ name, unit, format }: Pick<Proposal, "name" | "unit" | "format">): Guess {
  const called = format === "line protocol" ? readable(name) : name.slice(0, MOST);
  const known = UNITS[unit];
  if (known !== undefined) return { name: called, type: known[1], unit: known[0] };
  const words = quantity(name);
  const word = WORDS.find(([pattern]) => pattern.test(words)) ?? WORDS.find(([pattern]) => pattern.test(name));
  return { name: called, type: word?.[1] ?? "other", unit: unit === "" ? (word?.[2] ?? "") : unit.slice(0, 40) };
}
