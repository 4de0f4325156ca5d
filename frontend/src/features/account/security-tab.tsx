/** Password and second factor. */

import { Button, PasswordInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useChangePassword } from "@/api/account";
import type { Me } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { CodeField, codeOf } from "@/ui/code-field";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { NewPassword } from "@/ui/new-password";
import { Region } from "@/ui/region";
import { toast } from "@/ui/toasts";
import { useWait } from "@/ui/use-wait";

import { SecondFactor } from "./second-factor";

export function SecurityTab({ me }: { readonly me: Me }): ReactElement {
  return (
    <>
      <Password me={me} />
      <SecondFactor me={me} />
    </>
  );
}

function Password({ me }: { readonly me: Me }): ReactElement {
  const { t } = useTranslation();
  const [round, setRound] = useState(0);
  const change = useChangePassword();
  const waitS = useWait(change.error);
  const fields = refusedFields(change.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string): string => (data.get(name) as string | null) ?? "";
    change.mutate(
      { password: text("password"), new_password: text("new_password"), ...(me.mfa ? { otp: codeOf(event.currentTarget) } : {}) },
      {
        onSuccess: () => {
          toast({ tone: "ok", title: t("password.changed"), detail: t("password.changedText") });
          // A fresh form: what was typed does not stay in the page.
          setRound(round + 1);
        },
      },
    );
  };
  return (
    <Region title={t("login.password")} text={t("password.about")}>
      <form key={round} onSubmit={submit} className={form.form}>
        {/* Tells password managers whose password this is. */}
        <input type="text" name="username" autoComplete="username" value={me.email} readOnly hidden />
        <PasswordInput size="sm" name="password" label={t("password.present")} autoComplete="current-password" required withAsterisk={false}
          visibilityToggleButtonProps={{ "aria-label": t("password.show") }} error={fields.password} />
        <NewPassword name="new_password" label={t("password.new")} error={fields.new_password} />
        {me.mfa && <CodeField second />}
        <FormProblem error={change.error} fields={["password", "new_password"]} />
        <div>
          <Button type="submit" loading={change.isPending} disabled={waitS > 0}>
            {t("password.change")}
          </Button>
        </div>
      </form>
    </Region>
  );
}
