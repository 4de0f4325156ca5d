/** Take the second factor away or renew the recovery codes, each with password and code. */

import { PasswordInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useChangeFactor, type FactorChange } from "@/api/account";
import { Answers } from "@/ui/answers";
import { CodeField, codeOf } from "@/ui/code-field";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { toast } from "@/ui/toasts";
import { useWait } from "@/ui/use-wait";

import { RecoveryCodes } from "./recovery-codes";

interface Props {
  /** What is to change; null while nothing is. */
  readonly use: FactorChange | null;
  readonly onClose: () => void;
}

export function CodeDialog({ use, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const change = useChangeFactor(use ?? "disable");
  const waitS = useWait(change.error);
  const close = (): void => {
    change.reset();
    onClose();
  };
  const codes = change.data !== undefined && change.data.length > 0 ? change.data : null;
  const disabling = use === "disable";
  return (
    <Dialog opened={use !== null} onClose={close} locked={codes !== null} size={codes === null ? "small" : "medium"}
      title={disabling ? t("mfa.disableTitle") : t("recovery.renew")}>
      {codes !== null ? (
        <RecoveryCodes codes={codes} onKept={close} />
      ) : (
        <form
          className={form.form}
          onSubmit={(event) => {
            event.preventDefault();
            const password = (new FormData(event.currentTarget).get("password") as string | null) ?? "";
            change.mutate({ password, otp: codeOf(event.currentTarget) }, {
              onSuccess: () => {
                if (!disabling) return;
                toast({ tone: "warn", title: t("mfa.gone"), detail: t("mfa.goneText") });
                close();
              },
            });
          }}
        >
          <p className={form.text}>{disabling ? t("mfa.disableText") : t("recovery.renewText")}</p>
          <PasswordInput size="sm" name="password" label={t("login.password")} autoComplete="current-password" required withAsterisk={false} autoFocus
            data-autofocus visibilityToggleButtonProps={{ "aria-label": t("password.show") }} />
          <CodeField second />
          <FormProblem error={change.error} />
          <Answers submit={disabling ? t("mfa.disable") : t("recovery.renew")} busy={change.isPending} disabled={waitS > 0} onCancel={close} />
        </form>
      )}
    </Dialog>
  );
}
