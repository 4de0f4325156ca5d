/** When each version applies, on one axis of time; the first one begins with the sensor. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Profile } from "@/api/profiles";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { day, seconds, utc } from "@/ui/format";
import { useNow } from "@/ui/use-now";

import styles from "./conversion.module.css";

interface Props {
  readonly versions: readonly Profile[];
  readonly chosen: Profile | undefined;
  readonly onChoose: (profile: Profile) => void;
}

const AHEAD = 0.12;
const LEAST_S = 3600;
const LEAST_SHARE = 0.08;

export interface Stretch {
  readonly profile: Profile;
  /** Shares of the whole width. */
  readonly from: number;
  readonly to: number;
}

/** Where versions lie on the axis, the oldest first; those that never apply are left out. */
export function stretches(versions: readonly Profile[], nowS: number): { readonly all: Stretch[]; readonly now: number; readonly begin: number } {
  const shown = versions.filter((each) => each.status !== "draft" && (each.valid_to === null || each.valid_from !== each.valid_to)).toReversed();
  const begin = Math.min(nowS - LEAST_S, ...shown.map((each) => seconds(each.valid_from ?? each.created_at)));
  const last = Math.max(nowS, ...shown.map((each) => seconds(each.valid_from ?? each.created_at)));
  const span = (last - begin) * (1 + AHEAD);
  const at = (text: string | null, otherwise: number): number => (text === null ? otherwise : (seconds(text) - begin) / span);
  const exact = shown.map((profile) => ({ profile, from: Math.max(0, at(profile.valid_from, 0)), to: at(profile.valid_to, 1) }));
  const all = [...exact];
  // Wide enough to be read, at the cost of the one after it.
  for (const [i, each] of all.entries()) {
    const next = all[i + 1];
    const to = Math.min(1, Math.max(each.to, each.from + LEAST_SHARE));
    all[i] = { ...each, to };
    if (next !== undefined && next.from < to) all[i + 1] = { ...next, from: to };
  }
  const now = (nowS - begin) / span;
  // Where a stretch was widened or moved, now lies at the same share of it.
  const i = exact.findIndex(({ from, to }) => from <= now && now < to);
  const [real, drawn] = [exact[i], all[i]];
  if (real === undefined || drawn === undefined) return { all, now, begin };
  return { all, now: drawn.from + ((now - real.from) / (real.to - real.from)) * (drawn.to - drawn.from), begin };
}

export function Timeline({ versions, chosen, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const { all, now, begin } = stretches(versions, useNow(() => client.nowS()));
  return (
    <section className={styles.timeline} aria-label={t("conversion.timeline")}>
      <h2>
        {t("conversion.title")} <small>{t("conversion.rule", { count: versions.length })}</small>
      </h2>
      <div className={styles.axis}>
        {all.map(({ profile, from, to }) => (
          <button key={profile.id} type="button" className={styles.stretch} data-status={profile.status} aria-pressed={profile.id === chosen?.id}
            style={{ left: `${100 * from}%`, width: `${100 * (to - from)}%` }} onClick={() => onChoose(profile)}
            title={profile.valid_from === null ? t("conversion.fromBeginning") : utc(seconds(profile.valid_from))}>
            <b>
              v{profile.version} {t(`profileStatus.${profile.status}`)}
            </b>
            <span>
              {t(`profile.${profile.kind as "linear"}`)}
              {profile.valid_from !== null && ` · ${t("conversion.from", { day: day(seconds(profile.valid_from)) })}`}
            </span>
          </button>
        ))}
        <i className={styles.nowLine} style={{ left: `${100 * now}%` }} />
      </div>
      <div className={styles.axisFoot}>
        <span>{day(begin)}</span>
        <span style={{ left: `${100 * now}%` }}>{t("conversion.now")}</span>
      </div>
    </section>
  );
}
