/** The invites into the project: what each is good for, and what became of it. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useProject } from "@/api/me";
import { useInvites, useRevokeInvite } from "@/api/members";
import type { Invite } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { explain } from "@/ui/explain";
import { count, seconds } from "@/ui/format";
import { Loading, ProblemNote } from "@/ui/list-states";
import list from "@/ui/list-table.module.css";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { useNow } from "@/ui/use-now";

import { inviteState } from "./invite-state";

const nowS = (): number => Date.now() / 1000;

export function Invites(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const invites = useInvites(project.id);
  const revoke = useRevokeInvite(project.id);
  const now = useNow(nowS, 60_000);
  const [asked, setAsked] = useState<Invite | null>(null);
  const open = (invite: Invite): boolean => inviteState(invite, now) === "open";
  const sorted = [...(invites.data ?? [])].sort((a, b) => Number(open(b)) - Number(open(a)));
  return (
    <section aria-labelledby="invites">
      <div className={list.head}>
        <h2 id="invites">
          {t("invites.title")} {sorted.length > 0 && <span>{count(sorted.filter(open).length)}</span>}
        </h2>
      </div>
      {invites.isPending && <Loading />}
      {invites.data === undefined && invites.error !== null && (
        <ProblemNote title={t("invites.problem")} problem={explain(invites.error, t)} onRetry={() => void invites.refetch()} />
      )}
      {invites.data?.length === 0 && <p className={list.none}>{t("invites.none")}</p>}
      {sorted.length > 0 && (
        <div className={list.wrap}>
          <table className={list.table} data-roomy>
            <thead>
              <tr>
                <th scope="col">{t("invites.for")}</th>
                <th scope="col">{t("members.role")}</th>
                <th scope="col" className={list.optional}>{t("invites.by")}</th>
                <th scope="col" className={list.optional}>{t("invites.uses")}</th>
                <th scope="col" className={list.optional}>{t("tokens.expires")}</th>
                <th scope="col">{t("status.head")}</th>
                <th scope="col" className={list.right}>{t("sessions.action")}</th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((invite) => (
                <tr key={invite.id} className={open(invite) ? undefined : list.quiet}>
                  <th scope="row">{invite.note === "" ? <span className={list.quiet}>{t("invites.noNote")}</span> : invite.note}</th>
                  <td>{t(`role.${invite.role}`)}</td>
                  <td className={list.optional}>{invite.created_by_name ?? "–"}</td>
                  <td className={list.optional}>{t("invites.of", { uses: count(invite.uses), most: count(invite.max_uses) })}</td>
                  <td className={list.optional}>
                    <Time at={seconds(invite.expires_at)} form="moment" />
                  </td>
                  <td>
                    <Tag tone={open(invite) ? "ok" : "none"}>{t(`invites.${inviteState(invite, now)}`)}</Tag>
                  </td>
                  <td className={list.right}>
                    {open(invite) && (
                      <Button variant="subtle" aria-label={t("invites.revokeNamed", { note: invite.note || t(`role.${invite.role}`) })} onClick={() => setAsked(invite)}>
                        {t("tokens.revoke")}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Confirm about={asked} title={t("invites.revokeTitle")} text={t("invites.revokeText")} action={t("tokens.revoke")} change={revoke}
        onClose={() => setAsked(null)} />
    </section>
  );
}
