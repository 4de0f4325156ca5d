/** Log in with e-mail and password. */

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, useSearchParams } from "react-router";

import { session } from "@/api/session";
import { explain } from "@/ui/explain";
import { Icon } from "@/ui/icons";

import styles from "./login-page.module.css";

/** Only addresses of this site are followed. */
const inside = (next: string | null): string => (next !== null && /^\/[^/\\]/.test(next) ? next : "/");

export function LoginPage(): ReactElement {
  const { t } = useTranslation();
  const [params] = useSearchParams();
  const cache = useQueryClient();
  const state = useSyncExternalStore(session.on, session.state);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  if (state === "in") return <Navigate to={inside(params.get("next"))} replace />;

  const submit = async (event: SubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => (form.get(name) as string | null) ?? "";
    setBusy(true);
    setProblem(null);
    try {
      // What another user saw in this tab is not theirs.
      cache.clear();
      await session.login(text("email"), text("password"));
    } catch (error) {
      setProblem(error instanceof Error ? explain(error, t).detail : String(error));
      setBusy(false);
    }
  };
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <span className={styles.logo}>
          <Icon name="logo" size={28} />
        </span>
        <h1 className={styles.title}>{t("login.title")}</h1>
        <p className={styles.text}>{t("login.text")}</p>
        <form onSubmit={(event) => void submit(event)} className={styles.form}>
          <TextInput size="sm" name="email" type="email" label={t("login.email")} autoComplete="username" required withAsterisk={false} data-autofocus />
          <PasswordInput size="sm" name="password" label={t("login.password")} autoComplete="current-password" required withAsterisk={false}
            visibilityToggleButtonProps={{ "aria-label": t("login.show") }} />
          {problem !== null && (
            <p role="alert" className={styles.problem}>
              <Icon name="warn" /> {problem}
            </p>
          )}
          <Button type="submit" size="sm" variant="filled" loading={busy} fullWidth>
            {t("login.submit")}
          </Button>
        </form>
      </div>
    </main>
  );
}
