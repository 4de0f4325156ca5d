/** What devices of foreign formats send that is no sensor yet, for an editor to decide about. */

import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useMayEdit, useProject } from "@/api/me";
import type { ChannelState, Proposal } from "@/api/model";
import { useIgnoreProposal, useProposals } from "@/api/proposals";
import { Confirm } from "@/ui/confirm";
import { EmptyState } from "@/ui/empty-state";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
import { PageBar } from "@/ui/page-bar";
import { PageTabs, useTab } from "@/ui/page-tabs";

import { AcceptDialog } from "./accept-dialog";
import { ProposalRow } from "./proposal-row";
import styles from "./proposals.module.css";

const STATES = ["proposed", "bound", "ignored"] as const satisfies readonly [ChannelState, ...ChannelState[]];
const SCRIPT = "curl -H 'Authorization: Token …' --data-binary 'bath,lab=3 inlet=21.5' …/api/v2/write";

export function ProposalsPage(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const state = useTab(STATES);
  const proposals = useProposals(project.id, state);
  return (
    <>
      <PageBar before={<Link to={`/p/${project.id}/monitor`}>{t("tab.monitor")}</Link>} title={t("proposals.title")}
        tabs={<PageTabs label={t("proposals.title")} chosen={state} tabs={STATES.map((value) => ({ value, label: t(`proposals.${value}`) }))} />} />
      <Loaded query={proposals} problem={t("proposals.problem")}>
        {(found) => (found.length === 0 ? <Nothing state={state} /> : <Channels key={state} state={state} proposals={found} />)}
      </Loaded>
    </>
  );
}

function Nothing({ state }: { readonly state: ChannelState }): ReactElement {
  const { t } = useTranslation();
  if (state !== "proposed") return <p className={list.none}>{t(state === "bound" ? "proposals.noneBound" : "proposals.noneIgnored")}</p>;
  return <EmptyState title={t("proposals.none")} text={t("proposals.noneText")} hint={t("proposals.noneHint")} script={SCRIPT} />;
}

interface ChannelsProps {
  readonly state: ChannelState;
  readonly proposals: readonly Proposal[];
}

function Channels({ state, proposals }: ChannelsProps): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const mayEdit = useMayEdit();
  const ignore = useIgnoreProposal(project.id);
  const [accepting, setAccepting] = useState<Proposal | null>(null);
  const [ignoring, setIgnoring] = useState<Proposal | null>(null);
  return (
    <>
      {state === "proposed" && <p className={styles.about}>{t(mayEdit ? "proposals.about" : "proposals.aboutOnly")}</p>}
      <div className={list.wrap}>
        <table className={list.table} data-roomy>
          <thead>
            <tr>
              <th scope="col">{t("proposals.channel")}</th>
              <th scope="col" className={list.optional}>{t("proposals.from")}</th>
              <th scope="col" className={`${list.optional ?? ""} ${list.right ?? ""}`}>{t("proposals.last")}</th>
              <th scope="col" className={`${list.optional ?? ""} ${list.right ?? ""}`}>{t("proposals.held")}</th>
              <th scope="col" className={list.optional}>{t("proposals.seen")}</th>
              {mayEdit && <th scope="col" className={list.right}>{t("proposals.decision")}</th>}
            </tr>
          </thead>
          <tbody>
            {proposals.map((proposal) => (
              <ProposalRow key={proposal.id} proposal={proposal} {...(mayEdit ? { decide: { accept: setAccepting, ignore: setIgnoring } } : {})} />
            ))}
          </tbody>
        </table>
      </div>
      <AcceptDialog proposal={accepting} onClose={() => setAccepting(null)} />
      <Confirm about={ignoring} change={ignore} onClose={() => setIgnoring(null)} action={t("proposals.ignore")}
        title={t("proposals.ignoreTitle")} text={t(state === "bound" ? "proposals.unbindText" : "proposals.ignoreText", { name: ignoring?.name ?? "" })} />
    </>
  );
}
