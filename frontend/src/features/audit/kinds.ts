/** Kinds of facts as people say them; a kind that no table knows yet still reads as words. */

import type { TFunction } from "i18next";

/** The nouns that kinds begin with, in the order of the filter. */
export const NOUNS = [
  "capture",
  "run",
  "experiment",
  "sensor",
  "edge_agent",
  "proposal",
  "profile",
  "backfill",
  "project",
  "member",
  "invite",
  "user",
  "session",
  "password",
  "mfa",
  "personal_token",
  "live",
  "audit",
] as const;

export type Noun = (typeof NOUNS)[number];

/** "capture.auto_stopped" as "Capture: auto stopped". */
export function spelled(kind: string): string {
  const words = kind.replace(".", ": ").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function kindInWords(kind: string, t: TFunction): string {
  return t(`kind.${kind}` as "kind.user.logged_in", { defaultValue: spelled(kind) });
}
