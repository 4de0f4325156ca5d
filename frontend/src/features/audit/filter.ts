/** What of the trail is wanted, as the address says it. */

import type { AuditFilter } from "@/api/audit";

export const PERIODS = ["day", "week", "month", "all", "days"] as const;
export type Period = (typeof PERIODS)[number];

const LENGTH_S: Partial<Record<Period, number>> = { day: 86_400, week: 7 * 86_400, month: 30 * 86_400 };

/** Local midnight that begins a day as date fields write it, some days later; null for what is no day. */
function midnight(day: string | null, later = 0): string | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? "");
  if (parts === null) return null;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

export function periodOf(params: URLSearchParams): Period {
  const named = params.get("period");
  return PERIODS.find((each) => each === named) ?? "week";
}

/** The filter that an address asks for, at this moment. */
export function filterOf(params: URLSearchParams, nowMs: number): AuditFilter {
  const period = periodOf(params);
  const lengthS = LENGTH_S[period];
  const from = lengthS === undefined ? null : new Date(nowMs - lengthS * 1000).toISOString();
  const days = period === "days";
  const fields: Record<keyof AuditFilter, string | null> = {
    kind: params.get("kind"),
    user_id: params.get("user"),
    subject_id: params.get("subject"),
    from: days ? midnight(params.get("from")) : from,
    // The last day counts whole.
    to: days ? midnight(params.get("to"), 1) : null,
    q: params.get("q"),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ""));
}

/** The part of an address that decides what is listed: the same for as long as the same is asked for. */
export function filterKey(params: URLSearchParams): string {
  const kept = ["kind", "user", "subject", "q", "period", "from", "to"].map((name) => `${name}=${params.get(name) ?? ""}`);
  return kept.join("&");
}

/** Whether something other than the period narrows the list. */
export const narrowed = (params: URLSearchParams): boolean => ["kind", "user", "subject", "q"].some((name) => params.get(name) !== null);
