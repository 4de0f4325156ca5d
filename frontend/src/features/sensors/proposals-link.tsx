/** How many channels wait for an editor's decision; nothing where none does. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useProject } from "@/api/me";
import { useProposals } from "@/api/proposals";
import { count } from "@/ui/format";

export function ProposalsLink(): ReactElement | null {
  const { t } = useTranslation();
  const project = useProject();
  const waiting = useProposals(project.id, "proposed").data?.length ?? 0;
  if (waiting === 0) return null;
  return (
    <Button component={Link} to={`/p/${project.id}/proposals`} variant="light">
      {t("monitor.proposals", { count: waiting, n: count(waiting) })}
    </Button>
  );
}
