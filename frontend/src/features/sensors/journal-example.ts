/** An entry's details in words. */

import type { TFunction } from "i18next";

import type { JournalEntry } from "@/api/model";
import { delay, measured, stamp } from "@/ui/format";

/** Empty where there are none, or none that one may see. */
export function exampleOf(entry: JournalEntry, t: TFunction): string {
  const { t: at, raw, profile_version: version, detail, ahead_s: aheadS } = entry.details ?? {};
  const ahead = typeof aheadS === "number" ? delay(aheadS * 1000) : null;
  return [
    typeof detail === "string" ? detail : null,
    typeof raw === "number" ? t("journal.raw", { value: measured(raw, 6) }) : null,
    typeof version === "number" ? t("journal.version", { version }) : null,
    ahead === null ? null : t("journal.ahead", { time: `${ahead.value} ${ahead.unit}` }),
    typeof at === "number" ? stamp(at) : null,
  ]
    .filter((part) => part !== null)
    .join(" · ");
}
