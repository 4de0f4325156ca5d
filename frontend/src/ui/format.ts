/** Numbers and times as people read them, in the page's language. */

let locale = "en";

export function setLocale(language: string): void {
  locale = language === "ru" ? "ru-RU" : "en-GB";
  numbers.clear();
  dates.clear();
}

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();
const MINUS = "\u2212";

/** A number with fixed decimals, grouped, with a true minus sign. */
export function fixed(value: number, decimals: number): string {
  let format = numbers.get(String(decimals));
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    numbers.set(String(decimals), format);
  }
  return format.format(Math.abs(value) < 0.5 * 10 ** -decimals ? 0 : value).replace("-", MINUS);
}

/** A number as it was set, grouped: 0.0001, 10,000. */
export function exact(value: number): string {
  let format = numbers.get("exact");
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, { maximumSignificantDigits: 12 });
    numbers.set("exact", format);
  }
  return format.format(value).replace("-", MINUS);
}

export const count = (value: number): string => fixed(value, 0);

/** Decimals that show about `significant` figures and no more. */
export function decimalsFor(value: number, significant = 4): number {
  const size = Math.abs(value);
  if (!Number.isFinite(size) || size === 0) return significant - 1;
  const before = Math.max(1, Math.floor(Math.log10(size)) + 1);
  const zeros = size < 1 ? Math.min(2, Math.floor(-Math.log10(size))) : 0;
  return Math.max(0, Math.min(6, significant - before + zeros));
}

/** A measured value; an en dash where there is none. */
export function measured(value: number | null | undefined, significant = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return value.toExponential(significant - 1).replaceAll("-", MINUS);
  return fixed(value, decimalsFor(value, significant));
}

/** Samples per second: whole from ten on, below with the figures that matter. */
export function rate(perS: number): string {
  if (perS >= 9.95 || Math.abs(perS - Math.round(perS)) < 0.05) return fixed(Math.round(perS), 0);
  return fixed(perS, perS >= 1 ? 1 : 2);
}

export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

/** A delay in ms below a second, in seconds above. */
export function delay(ms: number): Quantity {
  const russian = locale.startsWith("ru");
  if (Math.abs(ms) < 1000) return { value: fixed(Math.round(ms), 0), unit: russian ? "мс" : "ms" };
  return { value: fixed(ms / 1000, Math.abs(ms) < 100_000 ? 1 : 0), unit: russian ? "с" : "s" };
}

const two = (n: number): string => String(n).padStart(2, "0");

/** Seconds as 00:04:12, as a timer shows them. */
export function timer(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Seconds as 04:12, with hours where there are any. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds + 1e-6));
  return s >= 3600 ? timer(s) : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
}

function date(at: number, key: string, options: Intl.DateTimeFormatOptions): string {
  let format = dates.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, options);
    dates.set(key, format);
  }
  return format.format(at * 1000);
}

/** Seconds since 1970 as local 14:32:07. */
export function clock(at: number): string {
  return date(at, "clock", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

export function clockMinutes(at: number): string {
  return date(at, "minutes", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** 14:32:07.5, for spans of seconds. */
export function clockTenths(at: number): string {
  return `${clock(Math.floor(at))}.${String(Math.floor((at * 10) % 10))}`;
}

/** 23 Nov. */
export function day(at: number): string {
  return date(at, "day", { day: "numeric", month: "short" }).replace(/\.$/, "");
}

/** 23 Nov, or 23 Nov 2027 in another year than this. */
export function calendarDay(at: number, nowS = Date.now() / 1000): string {
  if (new Date(at * 1000).getFullYear() === new Date(nowS * 1000).getFullYear()) return day(at);
  return date(at, "year", { day: "numeric", month: "short", year: "numeric" }).replace(/\s*г\.$/, "");
}

const isToday = (at: number, nowS: number): boolean => Math.abs(nowS - at) < 86_400 && day(at) === day(nowS);

/** 23 Nov 14:32, or 14:32 today. */
export function moment(at: number, nowS = Date.now() / 1000): string {
  return isToday(at, nowS) ? clockMinutes(at) : `${calendarDay(at, nowS)} ${clockMinutes(at)}`;
}

/** 23 Nov 14:32:07, or 14:32:07 today. */
export function stamp(at: number, nowS = Date.now() / 1000): string {
  return isToday(at, nowS) ? clock(at) : `${calendarDay(at, nowS)} ${clock(at)}`;
}

/** 2026-11-23 14:32:07 UTC. */
export function utc(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** RFC 3339 to seconds since 1970. */
export const seconds = (rfc3339: string): number => Date.parse(rfc3339) / 1000;
