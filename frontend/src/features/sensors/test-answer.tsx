/** What the hub made of a test packet: each sample as raw and physical, and what it refused. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor, TriedSample } from "@/api/model";
import type { Tested } from "@/api/trials";
import { count, exact, measured } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { Value } from "@/ui/value";

import styles from "./test-packet.module.css";

const SHOWN = 5;
const TONES = { out_of_range: "warn", conversion_error: "bad", no_profile: "none" } as const;

interface Props {
  readonly sensor: Sensor;
  readonly tested: Tested;
}

export function TestAnswer({ sensor, tested }: Props): ReactElement {
  const { t } = useTranslation();
  const { samples, stored, store } = tested;
  const problems = [...tested.problems].sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
  const refused = new Set(problems.map((each) => each.index)).size;
  const all = problems.some((each) => each.index === null) ? Math.max(samples.length, 1) : samples.length + refused;
  const repeat = store && stored === 0 && problems.length === 0;
  return (
    <div className={styles.answer}>
      <div>
        {!store && <Tag tone="none">{t("test.tried")}</Tag>}
        {store && <Tag tone={repeat ? "warn" : stored === all ? "ok" : "bad"}>{repeat ? t("test.repeat") : t("test.kept", { kept: count(stored), all: count(all) })}</Tag>}
      </div>
      {samples.slice(0, SHOWN).map((sample) => (
        <Sample key={sample.index} sensor={sensor} sample={sample} />
      ))}
      {samples.length > SHOWN && <p className={styles.help}>{t("test.more", { count: samples.length - SHOWN })}</p>}
      {problems.slice(0, SHOWN).map(({ index, code, detail }) => (
        <p key={`${index ?? "all"} ${code}`} className={styles.problem}>
          <Icon name="warn" />
          <span>
            {index === null ? t("test.whole") : t("test.sample", { number: index + 1 })}: {detail === "" ? code : detail} <code>{code}</code>
          </span>
        </p>
      ))}
      {problems.length > SHOWN && <p className={styles.help}>{t("test.more", { count: problems.length - SHOWN })}</p>}
    </div>
  );
}

function Sample({ sensor, sample }: { readonly sensor: Sensor; readonly sample: TriedSample }): ReactElement {
  const { t } = useTranslation();
  const converted = sample.profile_version !== null;
  return (
    <div className={styles.sample}>
      <Value size="summary" value={measured(converted ? sample.physical : sample.raw)} unit={converted ? sensor.display_unit : sensor.input_unit} />
      <span className={styles.facts}>
        {sample.status !== "ok" && <Tag tone={TONES[sample.status]}>{t(`testStatus.${sample.status}`)}</Tag>}
        <span>
          {t("layer.raw")} <b>{exact(sample.raw)}</b> {sensor.input_unit}
          {sensor.axis != null && ` (${t("test.greatest", { size: count(sensor.axis.count) })})`}
          {" · "}
          {converted && `${t("test.by", { version: sample.profile_version ?? 0 })} · `}
          <Time at={sample.t} form="stamp" />
        </span>
      </span>
    </div>
  );
}
