/** What happened in a project: who did what, when, from where, and that nothing of it was altered since. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useMemo, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { downloadAudit, useAudit } from "@/api/audit";
import { useProject } from "@/api/me";
import { explain } from "@/ui/explain";
import { Icon } from "@/ui/icons";
import { Loading, NothingFound, ProblemNote } from "@/ui/list-states";
import { PageBar } from "@/ui/page-bar";
import { toast } from "@/ui/toasts";

import styles from "./audit.module.css";
import { AuditTable } from "./audit-table";
import { filterKey, filterOf } from "./filter";
import { Filters } from "./filters";

export function AuditPage(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const [params, setParams] = useSearchParams();
  const trail = useAudit(project.id, filterKey(params), () => filterOf(params, Date.now()));
  const facts = useMemo(() => trail.data?.pages.flatMap((page) => page.items) ?? [], [trail.data]);
  const save = useMutation({
    mutationFn: () => downloadAudit(project.id, filterOf(params, Date.now())),
    onError: (error) => toast({ tone: "bad", title: t("audit.notSaved"), detail: explain(error, t).detail }),
  });
  return (
    <>
      <PageBar title={t("tab.audit")} tabs={<Filters facts={facts} />}>
        <Button leftSection={<Icon name="download" size={14} />} loading={save.isPending} onClick={() => save.mutate()} aria-label={t("audit.save")}>
          CSV
        </Button>
      </PageBar>
      <AuditTable facts={facts} />
      {trail.isPending && <Loading rows={8} />}
      {trail.data === undefined && trail.error !== null && (
        <ProblemNote title={t("audit.problem")} problem={explain(trail.error, t)} onRetry={() => void trail.refetch()} />
      )}
      {trail.data !== undefined && facts.length === 0 && (
        <NothingFound action={<Button onClick={() => setParams({ period: "all" }, { replace: true })}>{t("list.clear")}</Button>}>{t("audit.none")}</NothingFound>
      )}
      {facts.length > 0 && (
        <div className={styles.end}>
          {trail.hasNextPage ? (
            <Button loading={trail.isFetchingNextPage} onClick={() => void trail.fetchNextPage()}>
              {t("audit.more")}
            </Button>
          ) : (
            t("audit.end")
          )}
        </div>
      )}
    </>
  );
}
