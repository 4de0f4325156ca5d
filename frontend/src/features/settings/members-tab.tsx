/** Who is in the project and as what, and the invites into it. */

import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useMe, useProject } from "@/api/me";
import { useMembers, usePutMember, useRemoveMember, type RoleChange } from "@/api/members";
import { ROLES, type Member, type Role } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { explain } from "@/ui/explain";
import { seconds } from "@/ui/format";
import { ListTable } from "@/ui/list-table";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
import { Select } from "@/ui/select";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toasts";
import { usePhone } from "@/ui/use-phone";

import { Invites } from "./invites";
import styles from "./settings.module.css";

export function MembersTab(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const members = useMembers(project.id);
  return (
    <>
      <Loaded query={members} problem={t("members.problem")}>
        {(found) => <Members members={found} />}
      </Loaded>
      {project.role === "owner" && <Invites />}
    </>
  );
}

function Members({ members }: { readonly members: readonly Member[] }): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const me = useMe().data;
  const cache = useQueryClient();
  const navigate = useNavigate();
  const put = usePutMember(project.id);
  const putOwn = usePutMember(project.id);
  const remove = useRemoveMember(project.id);
  /** A change of one's own role is asked about first: who gives the ownership away cannot take it back. */
  const [lowering, setLowering] = useState<RoleChange | null>(null);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const isMe = (member: Member): boolean => member.user_id === me?.id;
  const owner = project.role === "owner";
  const phone = usePhone();
  const choose = (member: Member, role: Role): void => {
    if (isMe(member)) setLowering({ member, role });
    else
      put.mutate(
        { member, role },
        {
          onSuccess: () => toast({ tone: "ok", title: t("members.changed", { name: member.name, role: t(`role.${role}`) }) }),
          onError: (error) => toast({ tone: "bad", title: t("members.notChanged"), detail: explain(error, t).detail }),
        },
      );
  };
  const gone = (member: Member): void => {
    if (!isMe(member)) return;
    void Promise.resolve(navigate("/", { replace: true })).then(() => cache.refetchQueries({ queryKey: ["me"] }));
  };
  const action = (member: Member): ReactNode =>
    (owner || isMe(member)) && (
      <Button variant="subtle" aria-label={isMe(member) ? t("members.leave") : t("members.removeNamed", { name: member.name })}
        onClick={() => setLeaving(member)}>
        {isMe(member) ? t("members.leaveShort") : t("members.remove")}
      </Button>
    );
  return (
    <>
      <ListTable roomy rows={members} keyOf={(member) => member.user_id}
        columns={[
          {
            head: t("members.one"),
            cell: (member) => (
              <>
                <span className={list.name}>
                  {member.name} {isMe(member) && <Tag tone="none">{t("members.you")}</Tag>}
                </span>
                <span className={list.sub}>{member.email}</span>
                {phone && <span className={list.actions}>{action(member)}</span>}
              </>
            ),
          },
          { head: t("login.email"), optional: true, cell: (member) => member.email },
          {
            head: t("members.role"),
            cell: (member) =>
              owner ? (
                <span className={styles.role}>
                  <Select aria-label={t("members.roleOf", { name: member.name })}
                    value={put.isPending && put.variables.member.user_id === member.user_id ? put.variables.role : member.role}
                    onChange={(role) => choose(member, role)} data={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} />
                </span>
              ) : (
                t(`role.${member.role}`)
              ),
          },
          { head: t("members.since"), optional: true, cell: (member) => <Time at={seconds(member.since)} form="moment" /> },
          ...(phone ? [] : [{ head: t("sessions.action"), right: true, cell: action }]),
        ]} />
      <Confirm about={lowering} title={t("members.ownTitle")} text={t("members.ownText", { role: t(`role.${lowering?.role ?? "viewer"}`) })}
        action={t("members.change")} change={putOwn} onClose={() => setLowering(null)} />
      <Confirm about={leaving} change={remove} onClose={() => setLeaving(null)} onDone={gone}
        title={leaving !== null && isMe(leaving) ? t("members.leaveTitle", { project: project.name }) : t("members.removeNamed", { name: leaving?.name ?? "" })}
        text={leaving !== null && isMe(leaving) ? t("members.leaveText") : t("members.removeText")}
        action={leaving !== null && isMe(leaving) ? t("members.leave") : t("members.remove")} />
    </>
  );
}
