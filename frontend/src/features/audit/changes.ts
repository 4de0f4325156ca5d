/** A fact's details as what changed, and what else it tells. */

import type { TFunction } from "i18next";

import type { AuditFact } from "@/api/model";

type Value = string | number | boolean | null | readonly Value[] | Fields;
interface Fields {
  readonly [name: string]: Value;
}

export interface Change {
  readonly name: string;
  /** Undefined where the field was not there. */
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

export interface Told {
  readonly changes: readonly Change[];
  readonly others: readonly (readonly [name: string, value: Value])[];
}

const BEFORE = "_before";

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Updates hold `before` and `after`, moves `from` and `to`, some decisions a field and the same with `_before`. */
export function told(facts: AuditFact["details"]): Told {
  const details = facts as Fields;
  const rest = new Map<string, Value>(Object.entries(details));
  const changes: Change[] = [];
  const { before, after, from, to } = details;
  if (isFields(after)) {
    const old = isFields(before) ? before : {};
    for (const name of new Set([...Object.keys(old), ...Object.keys(after)])) changes.push({ name, before: old[name], after: after[name] });
    rest.delete("before");
    rest.delete("after");
  }
  if (typeof from === "string" && typeof to === "string") {
    changes.push({ name: "status", before: from, after: to });
    rest.delete("from");
    rest.delete("to");
  }
  for (const [key, value] of Object.entries(details)) {
    const name = key.slice(0, -BEFORE.length);
    if (!key.endsWith(BEFORE) || !rest.has(name)) continue;
    changes.push({ name, before: value, after: rest.get(name) });
    rest.delete(key);
    rest.delete(name);
  }
  return { changes, others: [...rest] };
}

/** A value in one line. */
export function shown(value: Value | undefined): string {
  if (value === undefined || value === null || value === "") return "–";
  if (isFields(value) && typeof value.sha256 === "string") return `${JSON.stringify(value.bytes)} B, sha256 ${value.sha256.slice(0, 12)}…`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A field's name as people say it; one that no table knows yet still reads as words. */
export const named = (name: string, t: TFunction): string => t(`field.${name}` as "field.name", { defaultValue: name.replaceAll("_", " ") });

/** The name that the fact itself has kept. */
export function nameThen({ name, after, before }: AuditFact["details"]): string | null {
  if (typeof name === "string") return name;
  for (const fields of [after, before]) {
    if (isFields(fields) && typeof fields.name === "string") return fields.name;
  }
  return null;
}
