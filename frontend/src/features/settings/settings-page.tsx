/** A project's settings: what it is, who is in it, its edge agents, its device tokens. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useProject } from "@/api/me";
import { PageBar } from "@/ui/page-bar";
import { PageTabs, useTab } from "@/ui/page-tabs";

import { NewAgentButton } from "./agent-dialog";
import { AgentsTab } from "./agents-tab";
import { DevicesTab } from "./devices-tab";
import { GeneralTab } from "./general-tab";
import { InviteButton } from "./invite-dialog";
import { MembersTab } from "./members-tab";

const TABS = ["general", "members", "agents", "devices"] as const;

export function SettingsPage(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const tab = useTab(TABS);
  return (
    <>
      <PageBar title={t("tab.settings")}
        tabs={<PageTabs label={t("tab.settings")} chosen={tab} tabs={TABS.map((value) => ({ value, label: t(`settings.${value}`) }))} />}>
        {tab === "members" && project.role === "owner" && <InviteButton />}
        {tab === "agents" && project.role === "owner" && <NewAgentButton />}
      </PageBar>
      {tab === "general" && <GeneralTab key={project.id} />}
      {tab === "members" && <MembersTab key={project.id} />}
      {tab === "agents" && <AgentsTab key={project.id} />}
      {tab === "devices" && <DevicesTab key={project.id} />}
    </>
  );
}
