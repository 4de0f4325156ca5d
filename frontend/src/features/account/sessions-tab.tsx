/** Where one is logged in, and which logins ended of late. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useEndSession, useSessions } from "@/api/account";
import type { Session } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { deviceOf } from "@/ui/device";
import { seconds } from "@/ui/format";
import { ListTable } from "@/ui/list-table";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";

export function SessionsTab(): ReactElement {
  const { t } = useTranslation();
  const sessions = useSessions();
  const end = useEndSession();
  const [asked, setAsked] = useState<Session | null>(null);
  return (
    <>
      <Loaded query={sessions} problem={t("sessions.problem")}>
        {(all) => (
          <>
            <Going sessions={all.filter((each) => each.ended_at === null)} onEnd={setAsked} />
            <div className={list.head}>
              <h2>{t("sessions.ended")}</h2>
            </div>
            <Ended sessions={all.filter((each) => each.ended_at !== null)} />
          </>
        )}
      </Loaded>
      <Confirm about={asked} title={t("sessions.endTitle")} text={t("sessions.endText")} action={t("sessions.end")} change={end} onClose={() => setAsked(null)} />
    </>
  );
}

interface GoingProps {
  readonly sessions: readonly Session[];
  readonly onEnd: (session: Session) => void;
}

function Going({ sessions, onEnd }: GoingProps): ReactElement {
  const { t } = useTranslation();
  return (
    <ListTable roomy rows={sessions} keyOf={(each) => each.id}
      columns={[
        { head: t("sessions.device"), cell: (each) => <DeviceName session={each} /> },
        { head: t("sessions.address"), optional: true, cell: (each) => each.address ?? "–" },
        { head: t("sessions.begun"), optional: true, cell: (each) => <Time at={seconds(each.created_at)} form="moment" /> },
        { head: t("sessions.used"), cell: (each) => <Time at={seconds(each.last_used_at)} form="moment" /> },
        {
          head: t("sessions.action"),
          right: true,
          cell: (each) =>
            each.current ? (
              <Tag tone="ok">{t("sessions.current")}</Tag>
            ) : (
              <Button variant="subtle" onClick={() => onEnd(each)}>
                {t("sessions.end")}
              </Button>
            ),
        },
      ]} />
  );
}

function Ended({ sessions }: { readonly sessions: readonly Session[] }): ReactElement {
  const { t } = useTranslation();
  if (sessions.length === 0) return <p className={list.none}>{t("sessions.noneEnded")}</p>;
  return (
    <ListTable rows={sessions} keyOf={(each) => each.id}
      columns={[
        { head: t("sessions.device"), cell: (each) => <DeviceName session={each} /> },
        { head: t("sessions.address"), optional: true, cell: (each) => each.address ?? "–" },
        {
          head: t("sessions.why"),
          cell: (each) => (each.ended_because === "reuse" ? <Tag tone="bad">{t("ended.reuse")}</Tag> : t(`ended.${each.ended_because ?? "logout"}`)),
        },
        { head: t("sessions.endedAt"), right: true, cell: (each) => each.ended_at !== null && <Time at={seconds(each.ended_at)} form="moment" /> },
      ]} />
  );
}

function DeviceName({ session }: { readonly session: Session }): ReactElement {
  const { t } = useTranslation();
  const device = deviceOf(session.user_agent);
  const name =
    device === null ? t("sessions.unknown") : device.system === null ? device.program : t("sessions.on", { program: device.program, system: device.system });
  return (
    <span title={session.user_agent ?? undefined}>
      {name}
      {session.client === "script" && <span className={list.quiet}> · {t("sessions.script")}</span>}
      <span className={list.sub}>{session.address}</span>
    </span>
  );
}
