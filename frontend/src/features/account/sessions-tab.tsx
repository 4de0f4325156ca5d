/** Where one is logged in, and which logins ended of late. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useEndSession, useSessions } from "@/api/account";
import type { Session } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { deviceOf } from "@/ui/device";
import { explain } from "@/ui/explain";
import { seconds } from "@/ui/format";
import { Loading, ProblemNote } from "@/ui/list-states";
import list from "@/ui/list-table.module.css";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";

export function SessionsTab(): ReactElement {
  const { t } = useTranslation();
  const sessions = useSessions();
  const end = useEndSession();
  const [asked, setAsked] = useState<Session | null>(null);
  if (sessions.isPending) return <Loading />;
  if (sessions.data === undefined) {
    return <ProblemNote title={t("sessions.problem")} problem={explain(sessions.error, t)} onRetry={() => void sessions.refetch()} />;
  }
  const going = sessions.data.filter((each) => each.ended_at === null);
  const ended = sessions.data.filter((each) => each.ended_at !== null);
  return (
    <>
      <div className={list.wrap}>
        <table className={list.table} data-roomy>
          <thead>
            <tr>
              <th scope="col">{t("sessions.device")}</th>
              <th scope="col" className={list.optional}>{t("sessions.address")}</th>
              <th scope="col" className={list.optional}>{t("sessions.begun")}</th>
              <th scope="col">{t("sessions.used")}</th>
              <th scope="col" className={list.right}>{t("sessions.action")}</th>
            </tr>
          </thead>
          <tbody>
            {going.map((each) => (
              <tr key={each.id}>
                <th scope="row">
                  <DeviceName session={each} />
                </th>
                <td className={list.optional}>{each.address ?? "–"}</td>
                <td className={list.optional}>
                  <Time at={seconds(each.created_at)} form="moment" />
                </td>
                <td>
                  <Time at={seconds(each.last_used_at)} form="moment" />
                </td>
                <td className={list.right}>
                  {each.current ? (
                    <Tag tone="ok">{t("sessions.current")}</Tag>
                  ) : (
                    <Button variant="subtle" onClick={() => setAsked(each)}>
                      {t("sessions.end")}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className={list.head}>
        <h2>{t("sessions.ended")}</h2>
      </div>
      {ended.length === 0 ? <p className={list.none}>{t("sessions.noneEnded")}</p> : <Ended sessions={ended} />}
      <Confirm about={asked} title={t("sessions.endTitle")} text={t("sessions.endText")} action={t("sessions.end")} change={end} onClose={() => setAsked(null)} />
    </>
  );
}

function Ended({ sessions }: { readonly sessions: readonly Session[] }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={list.wrap}>
      <table className={list.table}>
        <thead>
          <tr>
            <th scope="col">{t("sessions.device")}</th>
            <th scope="col" className={list.optional}>{t("sessions.address")}</th>
            <th scope="col">{t("sessions.why")}</th>
            <th scope="col" className={list.right}>{t("sessions.endedAt")}</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((each) => (
            <tr key={each.id}>
              <th scope="row">
                <DeviceName session={each} />
              </th>
              <td className={list.optional}>{each.address ?? "–"}</td>
              <td>{each.ended_because === "reuse" ? <Tag tone="bad">{t("ended.reuse")}</Tag> : t(`ended.${each.ended_because ?? "logout"}`)}</td>
              <td className={list.right}>{each.ended_at !== null && <Time at={seconds(each.ended_at)} form="moment" />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
