/** One fact in full: what changed, and everything that tells who it was. */

import { Button } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { AuditFact } from "@/api/model";
import { deviceOf } from "@/ui/device";
import { seconds, utc } from "@/ui/format";
import { useQueryState } from "@/ui/use-query-state";

import styles from "./audit.module.css";
import { named, shown, told } from "./changes";

interface Props {
  readonly fact: AuditFact;
  /** What it is about, by name. */
  readonly subject: string | null;
}

export function FactDetails({ fact, subject }: Props): ReactElement {
  const { t } = useTranslation();
  const [user, setUser] = useQueryState("user");
  const [about, setAbout] = useQueryState("subject");
  const device = deviceOf(fact.user_agent);
  const row = (name: string, value: ReactNode, title?: string | null): ReactElement | null =>
    value === null || value === undefined || value === "" ? null : (
      <div key={name}>
        <dt>{name}</dt>
        <dd title={title ?? undefined}>{value}</dd>
      </div>
    );
  const id = (value: string | null): ReactNode => value !== null && <code>{value}</code>;
  return (
    <div className={styles.detail}>
      <WhatChanged fact={fact} />
      <dl className={styles.facts}>
        {row(t("audit.who"), fact.user !== null && `${fact.user.name}, ${fact.user.email}`)}
        {row(t("audit.about"), subject)}
        {row(t("audit.subjectId"), id(fact.subject_id))}
        {row(t("sessions.address"), fact.address)}
        {row(t("sessions.device"), device && (device.system === null ? device.program : t("sessions.on", { program: device.program, system: device.system })), fact.user_agent)}
        {row(t("audit.credential"), id(fact.credential_id))}
        {row(t("audit.request"), id(fact.request_id))}
        {row("UTC", utc(seconds(fact.at)))}
        {row(t("audit.kind"), id(fact.kind))}
        {row(t("audit.chain"), fact.linked ? t("audit.linked") : t("audit.notLinked"))}
      </dl>
      <div className={styles.more}>
        {fact.subject_id !== null && about !== fact.subject_id && (
          <Button onClick={() => setAbout(fact.subject_id)}>{t("audit.allAbout")}</Button>
        )}
        {fact.user !== null && user !== fact.user.id && (
          <Button onClick={() => setUser(fact.user?.id ?? null)}>{t("audit.allBy", { name: fact.user.name })}</Button>
        )}
      </div>
    </div>
  );
}

function WhatChanged({ fact }: { readonly fact: AuditFact }): ReactElement {
  const { t } = useTranslation();
  const { changes, others } = told(fact.details);
  if (changes.length === 0 && others.length === 0) return <p className={styles.plain}>{t("audit.noDetails")}</p>;
  return (
    <div className={styles.changes}>
      {changes.length > 0 && (
        <table className={styles.diff}>
          <thead>
            <tr>
              <th scope="col">{t("audit.field")}</th>
              <th scope="col">{t("audit.before")}</th>
              <th scope="col">{t("audit.after")}</th>
            </tr>
          </thead>
          <tbody>
            {changes.map(({ name, before, after }) => (
              <tr key={name}>
                <th scope="row">{named(name, t)}</th>
                <td className={styles.before}>{shown(before)}</td>
                <td>{shown(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {others.length > 0 && (
        <dl className={styles.facts}>
          {others.map(([name, value]) => (
            <div key={name}>
              <dt>{named(name, t)}</dt>
              <dd>{shown(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
