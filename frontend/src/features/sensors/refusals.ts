/** How often the limits of a sensor's token held it back of late, by its journal. */

import type { JournalEntry } from "@/api/model";
import { seconds } from "@/ui/format";

export interface Refusals {
  readonly count: number;
  /** Seconds since 1970; null where there were none. */
  readonly latest: number | null;
  /** The journal goes on beyond what was read of it. */
  readonly more: boolean;
}

/** `entries` are the newest first; `complete` says that the journal holds no more of them. */
export function refusalsSince(entries: readonly JournalEntry[], sinceS: number, complete: boolean): Refusals {
  const recent = entries.filter((entry) => seconds(entry.last_at) >= sinceS);
  return {
    count: recent.reduce((sum, entry) => sum + entry.count, 0),
    latest: recent.length === 0 ? null : Math.max(...recent.map((entry) => seconds(entry.last_at))),
    more: !complete && recent.length === entries.length,
  };
}
