/** What verifying a capture found, in words: that all holds, or where it does not. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Verification } from "@/api/model";
import { count } from "@/ui/format";

import styles from "./seal-dialog.module.css";

export function Verified({ found }: { readonly found: Verification }): ReactElement {
  const { t } = useTranslation();
  const exact = found.physical.reduce((sum, each) => sum + each.exact, 0);
  const close = found.physical.reduce((sum, each) => sum + each.close, 0);
  return (
    <div className={styles.found} role="status">
      {found.holds ? <p>{t("seal.holds")}</p> : <p className={styles.bad}>{t("seal.broken")}</p>}
      <p>
        {t("seal.exact", { n: count(exact) })} {close > 0 && t("seal.close", { n: count(close) })}
      </p>
      {found.series
        .filter((each) => !each.count_holds || !each.hash_holds)
        .map((each) => (
          <p key={`${each.sensor_id} ${each.seal}`} className={styles.bad}>
            {t("seal.seriesBroken", { sensor: each.sensor, seal: each.seal })}
          </p>
        ))}
      {found.physical
        .filter((each) => !each.holds)
        .map((each) => (
          <p key={`${each.sensor_id} ${each.part} ${each.revision} ${each.profile_version}`} className={styles.bad}>
            {t("seal.physicalBroken", { sensor: each.sensor, revision: each.revision, n: count(each.differing), version: each.profile_version })}
          </p>
        ))}
      {found.faults.map((fault) => (
        <p key={fault} className={styles.bad}>
          {fault}
        </p>
      ))}
    </div>
  );
}
