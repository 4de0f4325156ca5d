/** Personal tokens: what scripts and CI log in with. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { usePersonalTokens, useRevokePersonalToken } from "@/api/account";
import type { PersonalToken } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { EmptyState } from "@/ui/empty-state";
import { seconds } from "@/ui/format";
import { ListTable } from "@/ui/list-table";
import list from "@/ui/list-table.module.css";
import { Loaded } from "@/ui/loaded";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { useNow } from "@/ui/use-now";

const nowS = (): number => Date.now() / 1000;
const SOON_S = 7 * 86_400;

export function TokensTab(): ReactElement {
  const { t } = useTranslation();
  const tokens = usePersonalTokens();
  const revoke = useRevokePersonalToken();
  const [asked, setAsked] = useState<PersonalToken | null>(null);
  return (
    <>
      <Loaded query={tokens} problem={t("tokens.problem")}>
        {(all) => (all.length === 0 ? <NoTokens /> : <Tokens tokens={all} onRevoke={setAsked} />)}
      </Loaded>
      <Confirm about={asked} title={t("tokens.revokeNamed", { name: asked?.name ?? "" })} text={t("tokens.revokeText")} action={t("tokens.revoke")}
        change={revoke} onClose={() => setAsked(null)} />
    </>
  );
}

function NoTokens(): ReactElement {
  const { t } = useTranslation();
  const call = `curl -H "Authorization: Bearer etpp_…" ${window.location.origin}/api/v1/projects`;
  return <EmptyState title={t("tokens.none")} text={t("tokens.noneText")} hint={t("tokens.hint")} script={call} />;
}

interface TokensProps {
  readonly tokens: readonly PersonalToken[];
  readonly onRevoke: (token: PersonalToken) => void;
}

function Tokens({ tokens, onRevoke }: TokensProps): ReactElement {
  const { t } = useTranslation();
  return (
    <ListTable roomy rows={tokens} keyOf={(token) => token.id}
      columns={[
        {
          head: t("tokens.name"),
          cell: (token) => (
            <>
              {token.name}
              <span className={list.sub}>{token.project_name ?? t("tokens.allProjects")}</span>
            </>
          ),
        },
        { head: t("tokens.scope"), cell: (token) => t(`scope.${token.scope}`) },
        { head: t("tokens.project"), optional: true, cell: (token) => token.project_name ?? <span className={list.quiet}>{t("tokens.allProjects")}</span> },
        { head: t("tokens.created"), optional: true, cell: (token) => <Time at={seconds(token.created_at)} form="moment" /> },
        {
          head: t("tokens.used"),
          optional: true,
          cell: (token) => (token.last_used_at === null ? t("tokens.never") : <Time at={seconds(token.last_used_at)} form="moment" />),
        },
        { head: t("tokens.expires"), cell: (token) => <Expiry at={seconds(token.expires_at)} /> },
        {
          head: t("sessions.action"),
          right: true,
          cell: (token) => (
            <Button variant="subtle" aria-label={t("tokens.revokeNamed", { name: token.name })} onClick={() => onRevoke(token)}>
              {t("tokens.revoke")}
            </Button>
          ),
        },
      ]} />
  );
}

function Expiry({ at }: { readonly at: number }): ReactElement {
  const { t } = useTranslation();
  const leftS = at - useNow(nowS, 60_000);
  if (leftS <= 0) return <Tag tone="bad">{t("tokens.expired")}</Tag>;
  return (
    <span style={leftS < SOON_S ? { color: "var(--warn)" } : undefined}>
      <Time at={at} form="day" />
    </span>
  );
}
