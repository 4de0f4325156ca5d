/** Open an account with an invite, or join a project with the account that is logged in. */

import { Button, TextInput } from "@mantine/core";
import { useEffect, useSyncExternalStore, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { useMe } from "@/api/me";
import { useAcceptInvite, useInvite } from "@/api/members";
import type { InviteView } from "@/api/model";
import { ApiProblem } from "@/api/problem";
import { renew, session } from "@/api/session";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { seconds } from "@/ui/format";
import { Loading } from "@/ui/list-states";
import { Time } from "@/ui/time";

import styles from "./auth.module.css";
import { useHashSecret } from "./hash-secret";
import { inviteCode } from "./next";
import { RegisterForm } from "./register-form";

export function RegisterPage(): ReactElement {
  const { t } = useTranslation();
  const code = useHashSecret();
  const invite = useInvite(code);
  const state = useSyncExternalStore(session.on, session.state);
  useEffect(() => {
    if (state === "unknown") void renew();
  }, [state]);
  return (
    <>
      <h1 className={styles.title}>{invite.data !== undefined && state === "in" ? t("invite.joinTitle") : t("register.title")}</h1>
      {invite.data === undefined ? (
        <>
          <p className={styles.text}>{t("register.text")}</p>
          {code !== "" && invite.isPending ? <Loading rows={2} /> : <CodeForm error={invite.error} />}
        </>
      ) : (
        <>
          <InviteFor invite={invite.data} />
          {state === "in" ? <Accept code={code} invite={invite.data} /> : <RegisterForm code={code} invite={invite.data} />}
        </>
      )}
      {state !== "in" && (
        <div className={styles.ways}>
          <p>
            {t("register.have")}{" "}
            <Link to="/login" state={code === "" ? null : { next: `/register#${code}` }}>
              {t("login.submit")}
            </Link>
          </p>
        </div>
      )}
    </>
  );
}

/** What the invite is for, and until when. */
function InviteFor({ invite }: { readonly invite: InviteView }): ReactElement {
  const { t } = useTranslation();
  return (
    <p className={styles.text}>
      {invite.project_name === null || invite.role === null ? (
        t("invite.account")
      ) : (
        <>
          {t("invite.into")} <b>{invite.project_name}</b> {t("invite.role", { role: t(`role.${invite.role}`) })}
        </>
      )}{" "}
      {t("invite.until")} <Time at={seconds(invite.expires_at)} form="moment" />.
    </p>
  );
}

function CodeForm({ error }: { readonly error: unknown }): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const pasted = (new FormData(event.currentTarget).get("code") as string | null) ?? "";
    void navigate({ hash: inviteCode(pasted) }, { replace: true });
  };
  return (
    <form onSubmit={submit} className={form.form}>
      <TextInput size="sm" name="code" label={t("invite.code")} autoComplete="off" spellCheck={false} required withAsterisk={false} autoFocus />
      <FormProblem error={error} />
      <Button type="submit" size="sm" variant="filled" fullWidth>
        {t("next")}
      </Button>
    </form>
  );
}

interface AcceptProps {
  readonly code: string;
  readonly invite: InviteView;
}

function Accept({ code, invite }: AcceptProps): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const me = useMe();
  const accept = useAcceptInvite();
  const open = (id: string | null): void => void navigate(id === null ? "/" : `/p/${id}/monitor`, { replace: true });
  const member = accept.error instanceof ApiProblem && accept.error.code === "already-member";
  return (
    <div className={form.form}>
      {me.data !== undefined && <p>{t("invite.as", { name: me.data.name, email: me.data.email })}</p>}
      <FormProblem error={accept.error} />
      {member || invite.project_id === null ? (
        <Button size="sm" variant="filled" fullWidth onClick={() => open(invite.project_id)}>
          {t("invite.open")}
        </Button>
      ) : (
        <Button size="sm" variant="filled" fullWidth loading={accept.isPending}
          onClick={() => accept.mutate(code, { onSuccess: (joined) => open(joined.project_id) })}>
          {t("invite.join")}
        </Button>
      )}
    </div>
  );
}
