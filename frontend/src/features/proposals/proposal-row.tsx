/** One channel: what it is called, where it comes from, what was heard of it, and what may be decided. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Proposal } from "@/api/model";
import { count, measured, seconds } from "@/ui/format";
import list from "@/ui/list-table.module.css";
import { Time } from "@/ui/time";
import { Value } from "@/ui/value";

import styles from "./proposals.module.css";

interface Props {
  readonly proposal: Proposal;
  /** Absent where one may not decide. */
  readonly decide?: { readonly accept: (proposal: Proposal) => void; readonly ignore: (proposal: Proposal) => void };
}

export function ProposalRow({ proposal, decide }: Props): ReactElement {
  const { t } = useTranslation();
  const { name, unit, state } = proposal;
  const from = t("proposals.fromSource", { source: proposal.source_name, format: proposal.format });
  return (
    <tr>
      <th scope="row">
        <span className={styles.name} title={name}>
          {name}
        </span>
        <span className={list.sub}>{from}</span>
      </th>
      <td className={`${list.optional ?? ""} ${list.quiet ?? ""}`}>{from}</td>
      <td className={`${list.optional ?? ""} ${list.right ?? ""}`}>
        {proposal.last_raw == null ? "–" : <Value value={measured(proposal.last_raw, 5)} unit={unit} />}
      </td>
      <td className={`${list.optional ?? ""} ${list.right ?? ""}`}>
        {proposal.expired > 0 ? t("proposals.heldOf", { held: count(proposal.held), samples: count(proposal.samples) }) : count(proposal.held)}
      </td>
      <td className={list.optional}>
        <Time at={seconds(proposal.last_seen)} form="stamp" />
      </td>
      {decide !== undefined && (
        <td className={list.right}>
          <span className={styles.actions}>
            {state !== "bound" && (
              <Button variant={state === "proposed" ? "light" : "subtle"} size="compact-xs" aria-label={t("proposals.acceptNamed", { name })} onClick={() => decide.accept(proposal)}>
                {t("proposals.accept")}
              </Button>
            )}
            {state !== "ignored" && (
              <Button variant="subtle" size="compact-xs" aria-label={t("proposals.ignoreNamed", { name })} onClick={() => decide.ignore(proposal)}>
                {t("proposals.ignore")}
              </Button>
            )}
          </span>
        </td>
      )}
    </tr>
  );
}
