/** An experiment's runs, and a form for a new one. */

import { Button, Textarea, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { useMayEdit, useProject } from "@/api/me";
import type { Run } from "@/api/model";
import { ApiProblem } from "@/api/problem";
import { useCreateRun, useRuns } from "@/api/runs";
import { Dialog } from "@/ui/dialog";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";
import { count, seconds, span } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Loading, ProblemNote } from "@/ui/list-states";
import { Tag, toneOf } from "@/ui/tag";
import { Time } from "@/ui/time";

import { parseParams } from "./params";
import styles from "./run.module.css";

interface Props {
  readonly experimentId: string;
  readonly creating: boolean;
  readonly onCreate: (open: boolean) => void;
}

export function RunList({ experimentId, creating, onCreate }: Props): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const mayEdit = useMayEdit();
  const runs = useRuns(experimentId);
  const newest = [...(runs.data ?? [])].sort((a, b) => b.number - a.number);
  return (
    <>
      {runs.isPending && <Loading />}
      {runs.data === undefined && runs.error !== null && (
        <ProblemNote title={t("run.problem")} problem={explain(runs.error, t)} onRetry={() => void runs.refetch()} />
      )}
      {runs.data?.length === 0 && (
        <EmptyState title={t("run.none")} text={t("run.noneText")} hint={t("empty.hint")}
          action={
            mayEdit && (
              <Button size="sm" variant="filled" leftSection={<Icon name="plus" />} onClick={() => onCreate(true)}>
                {t("run.new")}
              </Button>
            )
          } />
      )}
      {newest.length > 0 && (
        <div className={styles.wrap}>
          <table className={styles.list}>
            <thead>
              <tr>
                <th scope="col">{t("run.one")}</th>
                <th scope="col">{t("status.head")}</th>
                <th scope="col" className={styles.optional}>{t("run.sensors")}</th>
                <th scope="col" className={styles.optional}>{t("run.params")}</th>
                <th scope="col">{t("run.started")}</th>
                <th scope="col" className={styles.right}>{t("run.length")}</th>
              </tr>
            </thead>
            <tbody>
              {newest.map((run) => (
                <Row key={run.id} run={run} to={`/p/${project.id}/experiments/${experimentId}/runs/${run.id}`} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <NewRun experimentId={experimentId} opened={creating} onClose={() => onCreate(false)} />
    </>
  );
}

function Row({ run, to }: { readonly run: Run; readonly to: string }): ReactElement {
  const { t } = useTranslation();
  const params = Object.entries(run.params).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return (
    <tr>
      <th scope="row">
        <Link to={to}>{t("run.numbered", { number: run.number })}</Link> <span className={styles.quiet}>{run.name}</span>
      </th>
      <td>
        <Tag tone={toneOf(run.status)}>{t(`status.${run.status}`)}</Tag>
      </td>
      <td className={styles.optional}>{count(run.sensors.length)}</td>
      <td className={`${styles.optional ?? ""} ${styles.quiet ?? ""}`}>{params.slice(0, 3).join(" · ") || "–"}</td>
      <td>{run.started_at === null ? "–" : <Time at={seconds(run.started_at)} form="moment" />}</td>
      <td className={styles.right}>{run.duration_s === null ? "–" : span(run.duration_s)}</td>
    </tr>
  );
}

interface NewRunProps {
  readonly experimentId: string;
  readonly opened: boolean;
  readonly onClose: () => void;
}

function NewRun({ experimentId, opened, onClose }: NewRunProps): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const create = useCreateRun(experimentId);
  const [paramsText, setParamsText] = useState("");
  const params = parseParams(paramsText);
  const fields = create.error instanceof ApiProblem ? create.error.fields : {};
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (params.problem !== null) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => ((form.get(name) as string | null) ?? "").trim();
    create.mutate(
      { name: text("name"), params: params.values, ...(text("git_sha") === "" ? {} : { git_sha: text("git_sha") }) },
      {
        onSuccess: (run) => void navigate(`/p/${project.id}/experiments/${experimentId}/runs/${run.id}`),
      },
    );
  };
  return (
    <Dialog opened={opened} onClose={onClose} title={t("run.new")}>
      <form onSubmit={submit} className={styles.form}>
        <TextInput size="sm" name="name" label={t("run.name")} required withAsterisk={false} maxLength={200} data-autofocus error={fields.name} />
        <Textarea label={t("run.params")} description={t("run.paramsHelp")} rows={4} value={paramsText}
          onChange={(event) => setParamsText(event.currentTarget.value)} placeholder={"speed_setpoint = 1480\nimpeller = B-112"}
          error={params.problem === null ? fields.params : t("run.paramsLine", { line: params.problem })} />
        <TextInput size="sm" name="git_sha" label={t("run.git")} pattern="[0-9a-fA-F]{7,64}" title={t("run.gitHelp")} error={fields.git_sha} />
        {create.error !== null && Object.keys(fields).length === 0 && (
          <p role="alert" className={styles.problem}>
            {explain(create.error, t).detail}
          </p>
        )}
        <div className={styles.answers}>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" variant="filled" loading={create.isPending}>
            {t("run.create")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
