/** Name, e-mail and password of a new account. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { InviteView } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { session, type Registration } from "@/api/session";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { NewPassword } from "@/ui/new-password";
import { useWait } from "@/ui/use-wait";

interface Props {
  readonly code: string;
  readonly invite: InviteView;
}

export function RegisterForm({ code, invite }: Props): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const register = useMutation({
    mutationFn: (registration: Registration) => session.register(registration),
    onSuccess: () => {
      cache.removeQueries({ queryKey: ["me"] });
      void navigate(invite.project_id === null ? "/" : `/p/${invite.project_id}/monitor`, { replace: true });
    },
  });
  const waitS = useWait(register.error);
  const fields = refusedFields(register.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string): string => (data.get(name) as string | null) ?? "";
    register.mutate({ invite_code: code, name: text("name").trim(), email: text("email"), password: text("password") });
  };
  return (
    <form onSubmit={submit} className={form.form}>
      <TextInput size="sm" name="name" label={t("register.name")} autoComplete="name" required withAsterisk={false} maxLength={200} autoFocus error={fields.name} />
      <TextInput size="sm" name="email" type="email" label={t("login.email")} autoComplete="username" required withAsterisk={false} maxLength={254}
        error={fields.email} />
      <NewPassword name="password" label={t("login.password")} error={fields.password} />
      {Object.keys(fields).length === 0 && <FormProblem error={register.error} />}
      <Button type="submit" size="sm" variant="filled" loading={register.isPending} disabled={waitS > 0} fullWidth>
        {t("register.submit")}
      </Button>
    </form>
  );
}
