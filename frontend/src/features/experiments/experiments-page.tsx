/** A project's experiments, and a form for a new one. */

import { Button, Textarea, TextInput } from "@mantine/core";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { useCreateExperiment, useExperiments } from "@/api/experiments";
import { useMayEdit, useMe, useProject } from "@/api/me";
import type { Experiment } from "@/api/model";
import { ApiProblem } from "@/api/problem";
import { Dialog } from "@/ui/dialog";
import { demoCommand } from "@/ui/demo-command";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";
import { count, seconds } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Loading, NothingFound, ProblemNote } from "@/ui/list-states";
import { PageBar } from "@/ui/page-bar";
import { Tag, toneOf } from "@/ui/tag";
import { Time } from "@/ui/time";
import { useQueryState } from "@/ui/use-query-state";

import styles from "./experiments.module.css";

export function ExperimentsPage(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const mayEdit = useMayEdit();
  const me = useMe().data;
  const experiments = useExperiments(project.id);
  const [text, setText] = useQueryState("q");
  const [creating, setCreating] = useQueryState("new");
  const wanted = text?.toLowerCase() ?? "";
  const shown = (experiments.data ?? []).filter((each) => [each.name, ...each.tags].some((word) => word.toLowerCase().includes(wanted)));
  const create = (size: "xs" | "sm"): ReactElement | null =>
    mayEdit ? (
      <Button size={size} variant="filled" leftSection={<Icon name="plus" />} onClick={() => setCreating("1")}>
        {t("experiment.new")}
      </Button>
    ) : null;
  return (
    <>
      <PageBar title={t("tab.experiments")} after={experiments.data && count(experiments.data.length)}>
        <TextInput className={styles.filter} size="xs" aria-label={t("experiment.filter")} placeholder={t("experiment.filter")}
          leftSection={<Icon name="search" size={14} />} value={text ?? ""} onChange={(event) => setText(event.currentTarget.value)} />
        {create("xs")}
      </PageBar>
      <div className={styles.wrap}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t("experiment.one")}</th>
              <th scope="col">{t("status.head")}</th>
              <th scope="col" className={styles.optional}>{t("experiment.tags")}</th>
              <th scope="col" className={styles.optional}>{t("experiment.description")}</th>
              <th scope="col" className={styles.right}>{t("experiment.changed")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((experiment) => (
              <Row key={experiment.id} experiment={experiment} to={`/p/${project.id}/experiments/${experiment.id}`} />
            ))}
          </tbody>
        </table>
      </div>
      {experiments.isPending && <Loading />}
      {experiments.data === undefined && experiments.error !== null && (
        <ProblemNote title={t("experiment.listProblem")} problem={explain(experiments.error, t)} onRetry={() => void experiments.refetch()} />
      )}
      {experiments.data?.length === 0 && (
        <EmptyState title={t("experiment.none")} text={t("experiment.noneText")} hint={t("empty.hint")} action={create("sm")}
          {...(mayEdit && me !== undefined ? { script: demoCommand("start-stop", project.name, me.email, window.location.origin) } : {})} />
      )}
      {(experiments.data?.length ?? 0) > 0 && shown.length === 0 && (
        <NothingFound action={<Button onClick={() => setText(null)}>{t("list.clear")}</Button>}>
          {t("experiment.filtered", { text })}
        </NothingFound>
      )}
      <NewExperiment opened={creating !== null} onClose={() => setCreating(null)} />
    </>
  );
}

function Row({ experiment, to }: { readonly experiment: Experiment; readonly to: string }): ReactElement {
  const { t } = useTranslation();
  return (
    <tr>
      <th scope="row">
        <Link to={to}>{experiment.name}</Link>
      </th>
      <td>
        <Tag tone={toneOf(experiment.status)}>{t(`status.${experiment.status}`)}</Tag>
      </td>
      <td className={styles.optional}>
        <span className={styles.tags}>
          {experiment.tags.map((tag) => (
            <Tag key={tag} tone="none">
              {tag}
            </Tag>
          ))}
        </span>
      </td>
      <td className={`${styles.optional ?? ""} ${styles.long ?? ""}`}>{experiment.description}</td>
      <td className={styles.right}>
        <Time at={seconds(experiment.updated_at)} form="moment" />
      </td>
    </tr>
  );
}

function NewExperiment({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const create = useCreateExperiment(project.id);
  const fields = create.error instanceof ApiProblem ? create.error.fields : {};
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => ((form.get(name) as string | null) ?? "").trim();
    const tags = text("tags").split(",").map((tag) => tag.trim()).filter(Boolean);
    create.mutate(
      { name: text("name"), description: text("description"), tags },
      { onSuccess: (experiment) => void navigate(`/p/${project.id}/experiments/${experiment.id}`) },
    );
  };
  return (
    <Dialog opened={opened} onClose={onClose} title={t("experiment.new")}>
      <form onSubmit={submit} className={styles.form}>
        <TextInput size="sm" name="name" label={t("experiment.name")} required withAsterisk={false} maxLength={200} data-autofocus error={fields.name} />
        <Textarea name="description" label={t("experiment.description")} rows={3} error={fields.description} />
        <TextInput size="sm" name="tags" label={t("experiment.tags")} description={t("experiment.tagsHelp")} error={fields.tags} />
        {create.error !== null && Object.keys(fields).length === 0 && (
          <p role="alert" className={styles.problem}>
            {explain(create.error, t).detail}
          </p>
        )}
        <div className={styles.answers}>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" variant="filled" loading={create.isPending}>
            {t("experiment.create")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
