/** Backfills of a sensor's series: how far they are, and starting one. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { unfinished, useBackfills, useCancelBackfill, type Backfill } from "@/api/backfills";
import { useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import type { Profile } from "@/api/profiles";
import { explain } from "@/ui/explain";
import { count, seconds } from "@/ui/format";
import { ProblemNote } from "@/ui/list-states";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toasts";

import { BackfillDialog } from "./backfill-dialog";
import styles from "./conversion.module.css";
import { DifferenceOfBoth } from "./difference-text";

const TONES = { waiting: "none", running: "info", finished: "ok", cancelled: "none", failed: "bad" } as const;

export function BackfillsPanel({ sensor, versions }: { readonly sensor: Sensor; readonly versions: readonly Profile[] }): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const backfills = useBackfills(project.id, sensor.id);
  const [starting, setStarting] = useState(false);
  const published = versions.filter((each) => each.status !== "draft");
  return (
    <section className={styles.list}>
      <h2>
        {t("backfill.title")} <span>{count(backfills.data?.length ?? 0)}</span>
        {project.role === "owner" && published.length > 0 && <Button onClick={() => setStarting(true)}>{t("backfill.start")}</Button>}
      </h2>
      {backfills.data === undefined && backfills.error !== null && (
        <ProblemNote title={t("backfill.problem")} problem={explain(backfills.error, t)} onRetry={() => void backfills.refetch()} />
      )}
      {backfills.data?.length === 0 && <p className={styles.quiet}>{t("backfill.none")}</p>}
      <ul>
        {backfills.data?.map((each) => (
          <Row key={each.id} backfill={each} sensor={sensor} owner={project.role === "owner"} />
        ))}
      </ul>
      <BackfillDialog sensor={sensor} versions={versions} opened={starting} onClose={() => setStarting(false)} />
    </section>
  );
}

function Row({ backfill, sensor, owner }: { readonly backfill: Backfill; readonly sensor: Sensor; readonly owner: boolean }): ReactElement {
  const { t } = useTranslation();
  const cancel = useCancelBackfill();
  const all = backfill.samples ?? 0;
  const share = all === 0 ? 0 : backfill.done / all;
  const stop = (): void =>
    cancel.mutate(backfill, { onError: (error) => toast({ tone: "bad", title: t("backfill.cancelFailed"), detail: explain(error, t).detail }) });
  return (
    <li className={styles.backfill}>
      <div className={styles.row}>
        <b>{`v${backfill.profile_version}`}</b>
        <Link to={`/p/${backfill.project_id}/experiments/${backfill.experiment_id}/runs/${backfill.run_id}?capture=${backfill.ordinal_number}`}>
          {t("backfill.where", { experiment: backfill.experiment_name, run: backfill.run_number, capture: backfill.ordinal_number })}
        </Link>
        <Tag tone={TONES[backfill.status]}>{t(`backfillStatus.${backfill.status}`)}</Tag>
      </div>
      {backfill.status === "running" && (
        <div className={styles.progress} role="progressbar" aria-label={t("backfill.progress")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)}>
          <i style={{ width: `${100 * share}%` }} />
        </div>
      )}
      <p className={styles.quiet}>
        {backfill.samples === null ? t("backfill.sealing") : t("backfill.done", { done: count(backfill.done), all: count(all), count: all })}
        {" · "}
        {t("backfill.revision", { revision: backfill.revision })} · {backfill.requested_by} · <Time at={seconds(backfill.created_at)} form="moment" />
        {backfill.error !== null && ` · ${backfill.error}`}
      </p>
      {backfill.difference != null && backfill.status === "finished" && <DifferenceOfBoth difference={backfill.difference} elements={backfill.elements} unit={sensor.display_unit} />}
      {owner && unfinished(backfill) && (
        <Button loading={cancel.isPending} onClick={stop}>
          {t("backfill.cancel")}
        </Button>
      )}
    </li>
  );
}
