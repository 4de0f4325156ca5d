/** Set a new password with the token of a link; the token leaves the address as soon as the page has it. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { api, body } from "@/api/client";
import { refusedFields } from "@/api/problem";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { NewPassword } from "@/ui/new-password";
import { toast } from "@/ui/toasts";
import { useWait } from "@/ui/use-wait";

import styles from "./auth.module.css";
import { useHashSecret } from "./hash-secret";

export function ResetPage(): ReactElement {
  const { t } = useTranslation();
  const token = useHashSecret();
  const navigate = useNavigate();
  const reset = useMutation({
    mutationFn: (password: string) => body(api.POST("/api/v1/auth/password/reset", { body: { token, password } })),
    onSuccess: () => {
      toast({ tone: "ok", title: t("reset.done"), detail: t("reset.doneText") });
      void navigate("/login", { replace: true });
    },
  });
  const waitS = useWait(reset.error);
  const fields = refusedFields(reset.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    reset.mutate((new FormData(event.currentTarget).get("password") as string | null) ?? "");
  };
  return (
    <>
      <h1 className={styles.title}>{t("reset.title")}</h1>
      <p className={styles.text}>{token === "" ? t("reset.noToken") : t("reset.text")}</p>
      {token !== "" && (
        <form onSubmit={submit} className={form.form}>
          <NewPassword name="password" label={t("password.new")} error={fields.password} />
          {fields.password === undefined && <FormProblem error={reset.error} />}
          <Button type="submit" size="sm" variant="filled" loading={reset.isPending} disabled={waitS > 0} fullWidth>
            {t("reset.submit")}
          </Button>
        </form>
      )}
      <div className={styles.ways}>
        <p>
          <Link to="/forgot">{t("reset.again")}</Link>
        </p>
        <p>
          <Link to="/login">{t("login.back")}</Link>
        </p>
      </div>
    </>
  );
}
