/** Take the second factor away or renew the recovery codes, each with a code. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useCode } from "@/api/account";
import { CodeField, codeOf } from "@/ui/code-field";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { toast } from "@/ui/toasts";
import { useWait } from "@/ui/use-wait";

import { RecoveryCodes } from "./recovery-codes";

interface Props {
  /** What the code is for; null while none is asked for. */
  readonly use: "disable" | "recovery-codes" | null;
  readonly onClose: () => void;
}

export function CodeDialog({ use, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const change = useCode(use ?? "disable");
  const waitS = useWait(change.error);
  const close = (): void => {
    change.reset();
    onClose();
  };
  const codes = change.data !== undefined && change.data.length > 0 ? change.data : null;
  const disabling = use === "disable";
  return (
    <Dialog opened={use !== null} onClose={close} locked={codes !== null} size={codes === null ? "small" : "medium"}
      title={disabling ? t("mfa.disable") : t("recovery.renew")}>
      {codes !== null ? (
        <RecoveryCodes codes={codes} onKept={close} />
      ) : (
        <form
          className={form.form}
          onSubmit={(event) => {
            event.preventDefault();
            change.mutate(codeOf(event.currentTarget), {
              onSuccess: () => {
                if (!disabling) return;
                toast({ tone: "warn", title: t("mfa.gone"), detail: t("mfa.goneText") });
                close();
              },
            });
          }}
        >
          <p className={form.text}>{disabling ? t("mfa.disableText") : t("recovery.renewText")}</p>
          <CodeField />
          <FormProblem error={change.error} />
          <div className={form.answers}>
            <Button onClick={close}>{t("cancel")}</Button>
            <Button type="submit" variant="filled" loading={change.isPending} disabled={waitS > 0}>
              {disabling ? t("mfa.disable") : t("recovery.renew")}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
