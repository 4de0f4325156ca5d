/** A sensor's conversion: its versions in time, their curves, a draft to work on, and what is applied to old data. */

import { Button } from "@mantine/core";
import { useState, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useMayEdit, useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import { useProfiles, type Profile } from "@/api/profiles";
import { useSensors } from "@/api/sensors";
import { Icon } from "@/ui/icons";
import { NothingFound } from "@/ui/list-states";
import { Loaded } from "@/ui/loaded";
import { NotFound } from "@/ui/not-found";
import { PageBar } from "@/ui/page-bar";
import { useQueryState } from "@/ui/use-query-state";

import { BackfillsPanel } from "./backfills-panel";
import styles from "./conversion.module.css";
import { CurvePanel } from "./curve-panel";
import { DraftPanel } from "./draft-panel";
import { Timeline } from "./timeline";
import { VersionsPanel } from "./versions-panel";

interface Props {
  /** How the sensor is doing. */
  readonly now: (sensor: Sensor) => ReactNode;
  /** What else can be done with the sensor, and what else there is to know of it. */
  readonly actions: (sensor: Sensor) => ReactNode;
  readonly aside: (sensor: Sensor) => ReactNode;
}

export function ConversionOfSensor(parts: Props): ReactElement {
  const { t } = useTranslation();
  const { sensorId = "" } = useParams();
  const project = useProject();
  const sensors = useSensors(project.id);
  return (
    <Loaded query={sensors} problem={t("monitor.problem")}>
      {(all) => {
        const sensor = all.find((each) => each.id === sensorId);
        if (sensor === undefined) return <NoSensor />;
        return <LoadedSensor key={sensor.id} sensor={sensor} {...parts} />;
      }}
    </Loaded>
  );
}

function NoSensor(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  return (
    <NotFound title={t("sensor.self")} text={t("conversion.noSensor")} back={{ to: `/p/${project.id}/monitor`, text: t("tab.monitor") }}
      action={t("conversion.toSensors")} />
  );
}

const NO_PROFILES: readonly Profile[] = [];

function LoadedSensor({ sensor, now, actions, aside }: Props & { readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const mayEdit = useMayEdit();
  const profiles = useProfiles(sensor.id);
  const versions = profiles.data ?? NO_PROFILES;
  const [named, setNamed] = useQueryState("version");
  const [drafting, setDrafting] = useState(false);
  const active = versions.find((each) => each.status === "active");
  const chosen = versions.find((each) => String(each.version) === named) ?? active ?? versions[0];
  const edited = chosen?.status === "draft" ? chosen : null;
  const choose = (profile: Profile): void => {
    setDrafting(false);
    setNamed(String(profile.version));
  };
  return (
    <>
      <PageBar before={<Link to={`/p/${project.id}/monitor`}>{t("tab.monitor")}</Link>} title={sensor.name} several after={now(sensor)}>
        {actions(sensor)}
        {mayEdit && (
          <Button variant="filled" leftSection={<Icon name="plus" />} disabled={drafting} onClick={() => setDrafting(true)}>
            {t("conversion.new")}
          </Button>
        )}
      </PageBar>
      <Loaded query={profiles} problem={t("conversion.problem")}>
        {() => (
          <div className={styles.page}>
            <div className={styles.main}>
              <Timeline versions={versions} chosen={chosen} onChoose={choose} />
              {drafting || edited !== null ? (
                <DraftPanel key={drafting ? "new" : edited?.id} sensor={sensor} draft={drafting ? null : edited} before={active ?? null}
                  onDone={(profile) => {
                    setDrafting(false);
                    setNamed(profile === null ? null : String(profile.version));
                  }} />
              ) : (
                chosen !== undefined && <CurvePanel sensor={sensor} profile={chosen} before={versions.find((each) => each.version < chosen.version) ?? null} />
              )}
              {chosen === undefined && !drafting && <NothingFound>{t("conversion.none")}</NothingFound>}
            </div>
            <aside className={styles.side} aria-label={t("sensor.side")}>
              {aside(sensor)}
              <VersionsPanel sensor={sensor} versions={versions} chosen={chosen} onChoose={choose} />
              <BackfillsPanel sensor={sensor} versions={versions} />
            </aside>
          </div>
        )}
      </Loaded>
    </>
  );
}
