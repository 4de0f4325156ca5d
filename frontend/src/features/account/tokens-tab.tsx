/** Personal tokens: what scripts and CI log in with. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { usePersonalTokens, useRevokePersonalToken } from "@/api/account";
import type { PersonalToken } from "@/api/model";
import { Confirm } from "@/ui/confirm";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";
import { seconds } from "@/ui/format";
import { Loading, ProblemNote } from "@/ui/list-states";
import list from "@/ui/list-table.module.css";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";
import { useNow } from "@/ui/use-now";

const nowS = (): number => Date.now() / 1000;
const SOON_S = 7 * 86_400;

export function TokensTab(): ReactElement {
  const { t } = useTranslation();
  const tokens = usePersonalTokens();
  const revoke = useRevokePersonalToken();
  const now = useNow(nowS, 60_000);
  const [asked, setAsked] = useState<PersonalToken | null>(null);
  if (tokens.isPending) return <Loading />;
  if (tokens.data === undefined) {
    return <ProblemNote title={t("tokens.problem")} problem={explain(tokens.error, t)} onRetry={() => void tokens.refetch()} />;
  }
  if (tokens.data.length === 0) {
    const call = `curl -H "Authorization: Bearer etpp_…" ${window.location.origin}/api/v1/projects`;
    return <EmptyState title={t("tokens.none")} text={t("tokens.noneText")} hint={t("tokens.hint")} script={call} />;
  }
  return (
    <>
      <div className={list.wrap}>
        <table className={list.table} data-roomy>
          <thead>
            <tr>
              <th scope="col">{t("tokens.name")}</th>
              <th scope="col">{t("tokens.scope")}</th>
              <th scope="col" className={list.optional}>{t("tokens.project")}</th>
              <th scope="col" className={list.optional}>{t("tokens.created")}</th>
              <th scope="col" className={list.optional}>{t("tokens.used")}</th>
              <th scope="col">{t("tokens.expires")}</th>
              <th scope="col" className={list.right}>{t("sessions.action")}</th>
            </tr>
          </thead>
          <tbody>
            {tokens.data.map((token) => {
              const leftS = seconds(token.expires_at) - now;
              return (
                <tr key={token.id}>
                  <th scope="row">
                    {token.name}
                    <span className={list.sub}>{token.project_name ?? t("tokens.allProjects")}</span>
                  </th>
                  <td>{t(`scope.${token.scope}`)}</td>
                  <td className={list.optional}>{token.project_name ?? <span className={list.quiet}>{t("tokens.allProjects")}</span>}</td>
                  <td className={list.optional}>
                    <Time at={seconds(token.created_at)} form="moment" />
                  </td>
                  <td className={list.optional}>{token.last_used_at === null ? t("tokens.never") : <Time at={seconds(token.last_used_at)} form="moment" />}</td>
                  <td>
                    {leftS <= 0 ? (
                      <Tag tone="bad">{t("tokens.expired")}</Tag>
                    ) : (
                      <span style={leftS < SOON_S ? { color: "var(--warn)" } : undefined}>
                        <Time at={seconds(token.expires_at)} form="day" />
                      </span>
                    )}
                  </td>
                  <td className={list.right}>
                    <Button variant="subtle" aria-label={t("tokens.revokeNamed", { name: token.name })} onClick={() => setAsked(token)}>
                      {t("tokens.revoke")}
                    </Button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <Confirm about={asked} title={t("tokens.revokeNamed", { name: asked?.name ?? "" })} text={t("tokens.revokeText")} action={t("tokens.revoke")}
        change={revoke} onClose={() => setAsked(null)} />
    </>
  );
}
