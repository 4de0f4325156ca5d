/** Log in with e-mail and password, and with a code where the account has a second factor. */

import { Button, PasswordInput, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, useLocation, useSearchParams } from "react-router";

import { ApiProblem } from "@/api/problem";
import { session, type Credentials } from "@/api/session";
import { CodeField, codeOf } from "@/ui/code-field";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { StateMark } from "@/ui/state-mark";
import { useWait } from "@/ui/use-wait";

import styles from "./auth.module.css";
import { inside, type SentFrom } from "./next";

const is = (error: unknown, code: string): boolean => error instanceof ApiProblem && error.code === code;

export function LoginPage(): ReactElement {
  const [params] = useSearchParams();
  const { state: sent } = useLocation() as { readonly state: SentFrom | null };
  const cache = useQueryClient();
  const state = useSyncExternalStore(session.on, session.state);
  /** What the hub found right so far, while it asks for the code. */
  const [half, setHalf] = useState<Credentials | null>(null);
  const login = useMutation({
    mutationFn: (credentials: Credentials) => {
      // What another user saw in this tab is not theirs.
      cache.removeQueries();
      return session.login(credentials);
    },
    onError: (error, credentials) => {
      if (is(error, "otp-required")) setHalf(credentials);
      else if (is(error, "login-failed")) setHalf(null);
    },
  });
  if (state === "in") return <Navigate to={inside(sent?.next ?? params.get("next"))} replace />;
  const error = is(login.error, "otp-required") ? null : login.error;
  const back = (): void => {
    login.reset();
    setHalf(null);
  };
  return half === null ? (
    <PasswordStep busy={login.isPending} error={error} onSubmit={(credentials) => login.mutate(credentials)} />
  ) : (
    <CodeStep email={half.email} busy={login.isPending} error={error} onBack={back} onSubmit={(otp) => login.mutate({ ...half, otp })} />
  );
}

interface PasswordProps {
  readonly busy: boolean;
  readonly error: unknown;
  readonly onSubmit: (credentials: Credentials) => void;
}

function PasswordStep({ busy, error, onSubmit }: PasswordProps): ReactElement {
  const { t } = useTranslation();
  const ending = session.ending();
  const waitS = useWait(error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string): string => (data.get(name) as string | null) ?? "";
    onSubmit({ email: text("email"), password: text("password") });
  };
  return (
    <>
      <h1 className={styles.title}>{t("login.title")}</h1>
      <p className={styles.text}>{t("login.text")}</p>
      {ending !== null && error === null && (
        <p className={styles.note} role="status">
          <StateMark mark="warn" />
          <span>
            {t("login.ended")} {ending.detail}
          </span>
        </p>
      )}
      <form onSubmit={submit} className={form.form}>
        <TextInput size="sm" name="email" type="email" label={t("login.email")} autoComplete="username" required withAsterisk={false} autoFocus />
        <PasswordInput size="sm" name="password" label={t("login.password")} autoComplete="current-password" required withAsterisk={false}
          visibilityToggleButtonProps={{ "aria-label": t("password.show") }} />
        <FormProblem error={error} />
        <Button type="submit" size="sm" variant="filled" loading={busy} disabled={waitS > 0} fullWidth>
          {t("login.submit")}
        </Button>
      </form>
      <div className={styles.ways}>
        <p>
          <Link to="/forgot">{t("login.forgot")}</Link>
        </p>
        <p>
          {t("login.invited")} <Link to="/register">{t("login.register")}</Link>
        </p>
      </div>
    </>
  );
}

interface CodeProps {
  readonly email: string;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onBack: () => void;
  readonly onSubmit: (otp: string) => void;
}

function CodeStep({ email, busy, error, onBack, onSubmit }: CodeProps): ReactElement {
  const { t } = useTranslation();
  const waitS = useWait(error);
  return (
    <>
      <h1 className={styles.title}>{t("login.codeTitle")}</h1>
      <p className={styles.text}>{t("login.codeText", { email })}</p>
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit(codeOf(event.currentTarget));
        }}
      >
        <CodeField />
        <FormProblem error={error} />
        <Button type="submit" size="sm" variant="filled" loading={busy} disabled={waitS > 0} fullWidth>
          {t("login.submit")}
        </Button>
      </form>
      <div className={styles.ways}>
        <p>
          <UnstyledButton onClick={onBack}>{t("login.back")}</UnstyledButton>
        </p>
      </div>
    </>
  );
}
