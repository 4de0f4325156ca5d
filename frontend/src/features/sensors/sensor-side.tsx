/** What a sensor is and what its token may send, beside its versions; from here both are changed. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useAgents } from "@/api/agents";
import { useJournal } from "@/api/journal";
import { useMayEdit, useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import { axisWords } from "@/ui/axis";
import { Figures } from "@/ui/figures";
import { count, exact, seconds, stamp } from "@/ui/format";
import { limitsOf } from "@/ui/limits";
import { Time } from "@/ui/time";
import { useNow } from "@/ui/use-now";

import { LimitsDialog } from "./limits-dialog";
import { refusalsSince } from "./refusals";
import { SensorDialog } from "./sensor-dialog";
import styles from "./sensor-side.module.css";

const DAY_S = 86_400;
const MINUTE_MS = 60_000;
const nowS = (): number => Date.now() / 1000;

export function SensorSide({ sensor }: { readonly sensor: Sensor }): ReactElement {
  return (
    <>
      <Facts sensor={sensor} />
      <TokenLimits sensor={sensor} />
    </>
  );
}

function Facts({ sensor }: { readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const mayEdit = useMayEdit();
  const agents = useAgents(sensor.project_id).data;
  const [editing, setEditing] = useState(false);
  const agent = agents?.find((each) => each.id === sensor.agent_id);
  const { axis } = sensor;
  return (
    <section className={styles.section} aria-labelledby="sensor-facts">
      <div className={styles.head}>
        <h2 id="sensor-facts">{t("sensor.self")}</h2>
        {mayEdit && (
          <Button aria-label={t("sensor.edit")} onClick={() => setEditing(true)}>
            {t("edit")}
          </Button>
        )}
      </div>
      <Figures
        rows={[
          { label: t("sensor.type"), value: t(`type.${sensor.type}`) },
          { label: t("sensor.samples"), value: axis == null ? t("sensor.numbers") : t("sensor.along", { words: axisWords(axis, t), quantity: axis.quantity }) },
          { label: t("sensor.clock"), value: t(`sensor.clock.${sensor.time_source}`) },
          { label: t("sensor.heartbeat"), value: t("sensor.every", { n: exact(sensor.heartbeat_interval_s) }) },
          { label: t("sensor.agent"), value: agent?.name ?? (sensor.agent_id === null ? t("sensor.noAgent") : "–") },
          ...(sensor.token_expires_at === null ? [] : [{ label: t("sensor.tokenEnds"), value: stamp(seconds(sensor.token_expires_at)) }]),
          ...(sensor.calibration_notes === "" ? [] : [{ label: t("sensor.notes"), value: <span className={styles.notes}>{sensor.calibration_notes}</span> }]),
        ]} />
      <SensorDialog sensor={sensor} opened={editing} onClose={() => setEditing(false)} />
    </section>
  );
}

function TokenLimits({ sensor }: { readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const owner = useProject().role === "owner";
  const [editing, setEditing] = useState(false);
  const { requests_per_s, burst, samples_per_s } = limitsOf(sensor);
  return (
    <section className={styles.section} aria-labelledby="sensor-limits">
      <div className={styles.head}>
        <h2 id="sensor-limits">{t("limits.title")}</h2>
        {owner && (
          <Button aria-label={t("limits.editNamed", { name: sensor.name })} onClick={() => setEditing(true)}>
            {t("edit")}
          </Button>
        )}
      </div>
      <Figures
        rows={[
          { label: t("limits.requests"), value: t("limits.requestsOf", { rate: exact(requests_per_s), burst: exact(burst) }) },
          { label: t("limits.samples"), value: t("limits.samplesOf", { rate: exact(samples_per_s) }) },
        ]} />
      <HeldBack sensor={sensor} />
      {owner ? (
        <Link className={styles.more} to={`/p/${sensor.project_id}/settings?tab=devices`}>
          {t("settings.devices")}
        </Link>
      ) : (
        <p className={styles.quiet}>{t("limits.owners")}</p>
      )}
      <LimitsDialog sensor={sensor} opened={editing} onClose={() => setEditing(false)} />
    </section>
  );
}

/** How near the sensor comes to its limits: by the journal, which knows when it went beyond. */
function HeldBack({ sensor }: { readonly sensor: Sensor }): ReactElement | null {
  const { t } = useTranslation();
  const now = useNow(nowS, MINUTE_MS);
  const journal = useJournal(sensor.id, "rate_limited");
  const page = journal.data?.pages[0];
  if (page === undefined) return null;
  const { count: times, latest, more } = refusalsSince(page.items, now - DAY_S, !journal.hasNextPage);
  if (latest === null) return <p className={styles.quiet}>{t("limits.kept")}</p>;
  return (
    <p className={styles.held}>
      <HeldSentence times={times} more={more} latest={latest} />{" "}
      <Link to={`/p/${sensor.project_id}/monitor?journal=${sensor.id}`}>{t("limits.journal")}</Link>
    </p>
  );
}

/** The sentence is cut where its time stands, which tells UTC on hover. */
function HeldSentence({ times, more, latest }: { readonly times: number; readonly more: boolean; readonly latest: number }): ReactElement {
  const { t } = useTranslation();
  const [before = "", after = ""] = (more ? t("limits.hitMore", { n: count(times), time: "\0" }) : t("limits.hit", { count: times, n: count(times), time: "\0" })).split("\0");
  return (
    <>
      {before}
      <Time at={latest} form="moment" />
      {after}
    </>
  );
}
