/** The invites into the project: what each is good for, and what became of it. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useProject } from "@/api/me";
import { useInvites, useRevokeInvite } from "@/api/members";
import type { Invite } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { count, seconds } from "@/ui/format";
import { ListTable } from "@/ui/list-table";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
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
      <Loaded query={invites} problem={t("invites.problem")}>
        {() =>
          sorted.length === 0 ? (
            <p className={list.none}>{t("invites.none")}</p>
          ) : (
            <ListTable roomy rows={sorted} keyOf={(invite) => invite.id} quiet={(invite) => !open(invite)}
              columns={[
                { head: t("invites.for"), cell: ({ note }) => (note === "" ? <span className={list.quiet}>{t("invites.noNote")}</span> : note) },
                { head: t("members.role"), cell: (invite) => t(`role.${invite.role}`) },
                { head: t("invites.by"), optional: true, cell: (invite) => invite.created_by_name ?? "–" },
                { head: t("invites.uses"), optional: true, cell: (invite) => t("invites.of", { uses: count(invite.uses), most: count(invite.max_uses) }) },
                { head: t("tokens.expires"), optional: true, cell: (invite) => <Time at={seconds(invite.expires_at)} form="moment" /> },
                { head: t("status.head"), cell: (invite) => <Tag tone={open(invite) ? "ok" : "none"}>{t(`invites.${inviteState(invite, now)}`)}</Tag> },
                {
                  head: t("sessions.action"),
                  right: true,
                  cell: (invite) =>
                    open(invite) && (
                      <Button variant="subtle" aria-label={t("invites.revokeNamed", { note: invite.note || t(`role.${invite.role}`) })} onClick={() => setAsked(invite)}>
                        {t("tokens.revoke")}
                      </Button>
                    ),
                },
              ]} />
          )
        }
      </Loaded>
      <Confirm about={asked} title={t("invites.revokeTitle")} text={t("invites.revokeText")} action={t("tokens.revoke")} change={revoke}
        onClose={() => setAsked(null)} />
    </section>
  );
}
