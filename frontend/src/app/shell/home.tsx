/** Leads from the bare address to the project last worked in. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Navigate } from "react-router";

import { useMe } from "@/api/me";
import { Loading, ProblemNote } from "@/ui/list-states";
import { explain } from "@/ui/explain";

import { lastProject } from "./last-project";

export function Home(): ReactElement {
  const { t } = useTranslation();
  const me = useMe();
  if (me.isPending) return <Loading />;
  if (me.isError) return <ProblemNote title={t("page.failed")} problem={explain(me.error, t)} onRetry={() => void me.refetch()} />;
  const project = lastProject(me.data.projects);
  return <Navigate to={project === undefined ? "/projects/new" : `/p/${project.id}/monitor`} replace />;
}
