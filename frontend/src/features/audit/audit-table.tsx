/** The facts as dense rows; one of them opens to its details. */

import { UnstyledButton } from "@mantine/core";
import { memo, useCallback, useEffect, useRef, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { AuditFact } from "@/api/model";
import { seconds } from "@/ui/format";
import { Icon } from "@/ui/icons";
import list from "@/ui/list-table.module.css";
import { Time } from "@/ui/time";
import { useQueryState } from "@/ui/use-query-state";

import styles from "./audit.module.css";
import { FactDetails } from "./fact-details";
import { kindInWords } from "./kinds";
import { useSubjects } from "./subjects";

const COLUMNS = 6;

export function AuditTable({ facts }: { readonly facts: readonly AuditFact[] }): ReactElement {
  const { t } = useTranslation();
  const [open, setOpen] = useQueryState("open");
  const subjects = useSubjects(facts);
  // Kept the same for as long as the table stands, so that opening a row draws that row and not hundreds.
  const latest = useRef(setOpen);
  useEffect(() => {
    latest.current = setOpen;
  });
  const toggle = useCallback((id: string | null) => latest.current(id), []);
  return (
    <div className={list.wrap}>
      <table className={`${list.table ?? ""} ${styles.table ?? ""}`}>
        <thead>
          <tr>
            <th scope="col">{t("audit.time")}</th>
            <th scope="col">{t("audit.what")}</th>
            <th scope="col" className={list.optional}>{t("audit.about")}</th>
            <th scope="col" className={list.optional}>{t("audit.who")}</th>
            <th scope="col" className={list.optional}>{t("sessions.address")}</th>
            <th scope="col" className={`${list.optional ?? ""} ${list.right ?? ""}`}>{t("audit.chain")}</th>
          </tr>
        </thead>
        <tbody>
          {facts.map((fact) => (
            <Row key={fact.id} fact={fact} subject={subjects(fact)} opened={open === String(fact.id)} onToggle={toggle} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly fact: AuditFact;
  /** What it is about, by name. */
  readonly subject: string | null;
  readonly opened: boolean;
  /** Called with the row to open, or null. */
  readonly onToggle: (id: string | null) => void;
}

const Row = memo(function Row({ fact, subject, opened, onToggle }: RowProps): ReactElement {
  const { t } = useTranslation();
  const id = `fact-${String(fact.id)}`;
  return (
    <>
      <tr className={styles.row} data-open={opened || undefined} onClick={() => onToggle(opened ? null : String(fact.id))}>
        <td className={styles.time}>
          <Time at={seconds(fact.at)} form="stamp" />
        </td>
        <th scope="row">
          {/* The row takes the click of the mouse, the button those of the keyboard; both arrive above. */}
          <UnstyledButton className={styles.what} aria-expanded={opened} aria-controls={opened ? id : undefined}>
            <Icon name={opened ? "down" : "right"} size={12} />
            {kindInWords(fact.kind, t)}
          </UnstyledButton>
          <span className={`${list.sub ?? ""} ${styles.sub ?? ""}`}>
            {[fact.user?.name, subject === fact.user?.name ? null : subject].filter(Boolean).join(" · ")}
          </span>
        </th>
        <td className={list.optional}>{subject ?? <span className={list.quiet}>{fact.subject_id?.slice(0, 8) ?? "–"}</span>}</td>
        <td className={list.optional}>
          <Who fact={fact} />
        </td>
        <td className={`${list.optional ?? ""} ${list.quiet ?? ""}`}>{fact.address ?? "–"}</td>
        <td className={`${list.optional ?? ""} ${list.right ?? ""}`}>
          <Chained linked={fact.linked} />
        </td>
      </tr>
      {opened && (
        <tr className={styles.details} id={id}>
          <td colSpan={COLUMNS}>
            <FactDetails fact={fact} subject={subject} />
          </td>
        </tr>
      )}
    </>
  );
});

/** A person by name and role; a device or the system by what it is. */
function Who({ fact }: { readonly fact: AuditFact }): ReactElement {
  const { t } = useTranslation();
  const { user, principal_kind: kind, role } = fact;
  if (user === null) {
    const other = kind === null ? t("principal.nobody") : t(`principal.${kind}` as "principal.system", { defaultValue: kind });
    return <span className={list.quiet}>{other}</span>;
  }
  return (
    <>
      {user.name} {role !== null && <span className={list.quiet}>{t(`role.${role}` as "role.owner", { defaultValue: role })}</span>}
    </>
  );
}

function Chained({ linked }: { readonly linked: boolean }): ReactElement {
  const { t } = useTranslation();
  return linked ? (
    <span className={styles.chained} role="img" aria-label={t("audit.linked")} title={t("audit.linked")}>
      <Icon name="link" size={14} />
    </span>
  ) : (
    <span className={list.quiet} title={t("audit.notLinked")}>
      {t("audit.soon")}
    </span>
  );
}
