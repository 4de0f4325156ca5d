/** Ask for a link that sets a new password; the answer gives nothing away about who has an account. */

import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, body } from "@/api/client";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { useWait } from "@/ui/use-wait";

import styles from "./auth.module.css";

export function ForgotPage(): ReactElement {
  const { t } = useTranslation();
  const ask = useMutation({ mutationFn: (email: string) => body(api.POST("/api/v1/auth/password/forgot", { body: { email } })) });
  const waitS = useWait(ask.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    ask.mutate((new FormData(event.currentTarget).get("email") as string | null) ?? "");
  };
  return (
    <>
      <h1 className={styles.title}>{ask.isSuccess ? t("forgot.sentTitle") : t("forgot.title")}</h1>
      {ask.isSuccess ? (
        <p className={styles.text} role="status">
          {t("forgot.sentText", { email: ask.variables })}
        </p>
      ) : (
        <>
          <p className={styles.text}>{t("forgot.text")}</p>
          <form onSubmit={submit} className={form.form}>
            <TextInput size="sm" name="email" type="email" label={t("login.email")} autoComplete="username" required withAsterisk={false} autoFocus />
            <FormProblem error={ask.error} />
            <Button type="submit" size="sm" variant="filled" loading={ask.isPending} disabled={waitS > 0} fullWidth>
              {t("forgot.submit")}
            </Button>
          </form>
        </>
      )}
      <div className={styles.ways}>
        <p>
          <Link to="/login">{t("login.back")}</Link>
        </p>
      </div>
    </>
  );
}
