/** An experiment's card: what it is about, and its runs. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useExperiment } from "@/api/experiments";
import { useMayEdit, useProject } from "@/api/me";
import { isMissing } from "@/api/problem";
import { ExperimentHead } from "@/features/experiments/experiment-head";
import { RunList } from "@/features/runs/run-list";
import { explain } from "@/ui/explain";
import { Icon } from "@/ui/icons";
import { Loading, ProblemNote } from "@/ui/list-states";
import { NotFound } from "@/ui/not-found";
import { PageBar } from "@/ui/page-bar";
import { Tag, toneOf } from "@/ui/tag";
import { useQueryState } from "@/ui/use-query-state";

export function ExperimentPage(): ReactElement {
  const { t } = useTranslation();
  const { experimentId = "" } = useParams();
  const project = useProject();
  const mayEdit = useMayEdit();
  const experiment = useExperiment(experimentId);
  const [creating, setCreating] = useQueryState("new");
  if (experiment.isPending) return <Loading />;
  const back = { to: `/p/${project.id}/experiments`, text: t("tab.experiments") };
  if (isMissing(experiment.error)) {
    return <NotFound title={t("experiment.one")} text={t("experiment.notFound")} back={back} action={t("experiment.all")} />;
  }
  if (experiment.data === undefined) {
    return <ProblemNote title={t("experiment.problem")} problem={explain(experiment.error, t)} onRetry={() => void experiment.refetch()} />;
  }
  const { name, status } = experiment.data;
  return (
    <>
      <PageBar before={<Link to={back.to}>{back.text}</Link>} title={name}
        after={<Tag tone={toneOf(status)}>{t(`status.${status}`)}</Tag>}>
        {mayEdit && status !== "archived" && (
          <Button variant="filled" leftSection={<Icon name="plus" />} onClick={() => setCreating("1")}>
            {t("run.new")}
          </Button>
        )}
      </PageBar>
      <ExperimentHead experiment={experiment.data} />
      <RunList experimentId={experimentId} creating={creating !== null} onCreate={(open) => setCreating(open ? "1" : null)} />
    </>
  );
}
