/** The curve of a version beside that of the one before it, with the value that holds now. */

import { useMemo, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import type { Profile } from "@/api/profiles";
import { XyPlot } from "@/charts/xy-plot";
import { measured } from "@/ui/format";

import styles from "./conversion.module.css";
import { grid, rangeOf, useLine } from "./curves";
import { PayloadText } from "./payload-text";
import { TrialPanel } from "./trial-panel";

interface Props {
  readonly sensor: Sensor;
  readonly profile: Profile;
  readonly before: Profile | null;
}

export function CurvePanel({ sensor, profile, before }: Props): ReactElement {
  const { t } = useTranslation();
  const raw = useMemo(
    () => grid(rangeOf([profile.payload, before?.payload], sensor.last_raw == null ? [] : [sensor.last_raw])),
    // The range is that of the moment when the version was chosen: a curve that moves with each value cannot be read.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [profile.payload, before?.payload],
  );
  const line = useLine(sensor.id, profile.payload, raw, { key: "chosen", tone: "physical" });
  const older = useLine(sensor.id, before?.payload, raw, { key: "before", tone: "quiet", dashed: true });
  if (profile.payload == null) return <p className={styles.hidden}>{t("conversion.hidden")}</p>;
  const converted = sensor.last_t !== null && (profile.valid_from === null || Date.parse(sensor.last_t) >= Date.parse(profile.valid_from));
  const live = profile.status === "active" && sensor.state !== "offline" && converted && sensor.last_raw != null && sensor.last_physical != null;
  return (
    <>
      <section className={styles.panel}>
        <h2>
          {t("conversion.curve", { version: profile.version })} <small>{`${sensor.input_unit} → ${sensor.display_unit}`}</small>
          <Legend version={profile.version} before={older === null ? null : (before?.version ?? null)} />
        </h2>
        <XyPlot label={t("conversion.curve", { version: profile.version })} lines={[older, line].filter((each) => each !== null)}
          mark={
            live
              ? { x: sensor.last_raw ?? 0, y: sensor.last_physical ?? 0, text: `${measured(sensor.last_raw, 5)} ${sensor.input_unit} → ${measured(sensor.last_physical)} ${sensor.display_unit}` }
              : null
          } />
        <PayloadText payload={profile.payload} sensor={sensor} />
      </section>
      {profile.status !== "active" && <TrialPanel sensor={sensor} payload={profile.payload} />}
    </>
  );
}

export function Legend({ version, before }: { readonly version: number | null; readonly before: number | null }): ReactElement {
  const { t } = useTranslation();
  return (
    <span className={styles.legend}>
      <span data-tone="physical">{version === null ? t("conversion.draft") : `v${version}`}</span>
      {before !== null && <span data-tone="quiet">{`v${before}`}</span>}
    </span>
  );
}
