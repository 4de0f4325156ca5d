/** Leads from the bare address to the project last worked in. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Navigate } from "react-router";

import { useMe } from "@/api/me";
import { FirstProject } from "@/features/projects/first-project";
import { Loading, ProblemNote } from "@/ui/list-states";
import { explain } from "@/ui/explain";

import { lastProject } from "./last-project";

export function Home(): ReactElement {
  const { t } = useTranslation();
  const me = useMe();
  if (me.isPending) return <Loading />;
  if (me.isError) return <ProblemNote title={t("page.failed")} problem={explain(me.error, t)} onRetry={() => void me.refetch()} />;
  const last = lastProject();
  const project = me.data.projects.find((each) => each.id === last) ?? me.data.projects[0];
  return project === undefined ? <FirstProject /> : <Navigate to={`/p/${project.id}/monitor`} replace />;
}
