/** One's own account: security, sessions, personal tokens. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMe } from "@/api/me";
import { explain } from "@/ui/explain";
import { Loading, ProblemNote } from "@/ui/list-states";
import { PageBar } from "@/ui/page-bar";
import { PageTabs, useTab } from "@/ui/page-tabs";

import { LogoutEverywhere } from "./logout-everywhere";
import { NewTokenButton } from "./new-token";
import { SecurityTab } from "./security-tab";
import { SessionsTab } from "./sessions-tab";
import { TokensTab } from "./tokens-tab";

const TABS = ["security", "sessions", "tokens"] as const;

export function AccountPage(): ReactElement {
  const { t } = useTranslation();
  const me = useMe();
  const tab = useTab(TABS);
  if (me.isPending) return <Loading />;
  if (me.data === undefined) return <ProblemNote title={t("page.failed")} problem={explain(me.error, t)} onRetry={() => void me.refetch()} />;
  return (
    <>
      <PageBar title={t("account.title")}
        tabs={<PageTabs label={t("account.title")} chosen={tab} tabs={TABS.map((value) => ({ value, label: t(`account.${value}`) }))} />}>
        {tab === "sessions" && <LogoutEverywhere />}
        {tab === "tokens" && <NewTokenButton projects={me.data.projects} />}
      </PageBar>
      {tab === "security" && <SecurityTab me={me.data} />}
      {tab === "sessions" && <SessionsTab />}
      {tab === "tokens" && <TokensTab />}
    </>
  );
}
