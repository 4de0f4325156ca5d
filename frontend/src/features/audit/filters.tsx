/** The filters of the trail: words, kind, person, period, and one thing or person picked from a row. */

import { Button, TextInput } from "@mantine/core";
import { useEffect, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useProject } from "@/api/me";
import { useMembers } from "@/api/members";
import type { AuditFact } from "@/api/model";
import { Icon } from "@/ui/icons";
import { Select } from "@/ui/select";
import { useQueryState } from "@/ui/use-query-state";

import styles from "./audit.module.css";
import { narrowed, periodOf, PERIODS } from "./filter";
import { kindInWords, NOUNS } from "./kinds";

const TYPING_MS = 300;

export function Filters({ facts }: { readonly facts: readonly AuditFact[] }): ReactElement {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const [kind, setKind] = useQueryState("kind");
  const [user, setUser] = useQueryState("user");
  const [subject, setSubject] = useQueryState("subject");
  const [, setPeriod] = useQueryState("period");
  const people = usePeople(facts, user);
  const period = periodOf(params);
  // One kind alone comes from a link or a row; it stands in the list as long as it is chosen.
  const alone = kind !== null && !NOUNS.some((noun) => noun === kind) ? [{ value: kind, label: kindInWords(kind, t) }] : [];
  return (
    <div className={styles.filters} role="search" aria-label={t("audit.filters")}>
      <Words />
      <Select className={styles.kind} aria-label={t("audit.kind")} value={kind ?? ""} onChange={setKind}
        data={[{ value: "", label: t("audit.allKinds") }, ...alone, ...NOUNS.map((noun) => ({ value: noun, label: t(`noun.${noun}`) }))]} />
      <Select className={styles.person} aria-label={t("audit.person")} value={user ?? ""} onChange={setUser}
        data={[{ value: "", label: t("audit.everybody") }, ...people]} />
      <Select className={styles.period} aria-label={t("audit.period")} value={period} onChange={setPeriod}
        data={PERIODS.map((value) => ({ value, label: t(`period.${value}`) }))} />
      {period === "days" && <Days />}
      {subject !== null && (
        <Button variant="subtle" rightSection={<Icon name="cross" size={12} />} onClick={() => setSubject(null)} aria-label={t("audit.dropSubject")}>
          {t("audit.oneThing", { id: subject.slice(0, 8) })}
        </Button>
      )}
      {narrowed(params) && (
        <Button variant="subtle" onClick={() => setParams({ period }, { replace: true })}>
          {t("list.clear")}
        </Button>
      )}
    </div>
  );
}

/** Members, whoever else did something that is listed, and the one that is chosen. */
function usePeople(facts: readonly AuditFact[], chosen: string | null): { value: string; label: string }[] {
  const { t } = useTranslation();
  const members = useMembers(useProject().id).data;
  const names = new Map<string, string>();
  for (const { user } of facts) if (user !== null) names.set(user.id, user.name);
  for (const member of members ?? []) names.set(member.user_id, member.name);
  if (chosen !== null && !names.has(chosen)) names.set(chosen, t("audit.onePerson", { id: chosen.slice(0, 8) }));
  return [...names].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label));
}

function Words(): ReactElement {
  const { t } = useTranslation();
  const [q, setQ] = useQueryState("q");
  const [text, setText] = useState(q ?? "");
  const [told, setTold] = useState(q);
  // Cleared or changed from elsewhere, the address decides.
  if (q !== told) {
    setTold(q);
    setText(q ?? "");
  }
  useEffect(() => {
    if (text === (q ?? "")) return;
    const timer = setTimeout(() => {
      const next = text.trim() === "" ? null : text;
      setTold(next);
      setQ(next);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, q, setQ]);
  return (
    <TextInput className={styles.words} size="xs" aria-label={t("audit.words")} placeholder={t("audit.words")} maxLength={200}
      leftSection={<Icon name="search" size={14} />} value={text} onChange={(event) => setText(event.currentTarget.value)} />
  );
}

function Days(): ReactElement {
  const { t } = useTranslation();
  const [from, setFrom] = useQueryState("from");
  const [to, setTo] = useQueryState("to");
  return (
    <>
      <TextInput className={styles.day} size="xs" type="date" aria-label={t("audit.from")} value={from ?? ""} {...(to === null ? {} : { max: to })}
        onChange={(event) => setFrom(event.currentTarget.value)} />
      <TextInput className={styles.day} size="xs" type="date" aria-label={t("audit.to")} value={to ?? ""} {...(from === null ? {} : { min: from })}
        onChange={(event) => setTo(event.currentTarget.value)} />
    </>
  );
}
