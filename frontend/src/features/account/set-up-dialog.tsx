/** Set up the second factor: prove the password, scan the picture, try a code, keep the recovery codes. */

import { PasswordInput } from "@mantine/core";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useConfirmFactor, useEnroll } from "@/api/account";
import type { Enrollment } from "@/api/model";
import { Answers } from "@/ui/answers";
import { CodeField, codeOf } from "@/ui/code-field";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { toast } from "@/ui/toasts";
import { useWait } from "@/ui/use-wait";

import styles from "./account.module.css";
import { RecoveryCodes } from "./recovery-codes";

interface Props {
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function SetUpDialog({ opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const enroll = useEnroll();
  const confirm = useConfirmFactor();
  const codes = confirm.data;
  const close = (): void => {
    if (codes !== undefined) toast({ tone: "ok", title: t("mfa.done"), detail: t("mfa.doneText") });
    enroll.reset();
    confirm.reset();
    onClose();
  };
  const step = enroll.data === undefined ? "password" : codes === undefined ? "scan" : "codes";
  return (
    <Dialog opened={opened} onClose={close} title={step === "codes" ? t("recovery.title") : t("mfa.setUp")} locked={step === "codes"}>
      {step === "password" && <PasswordStep enroll={enroll} onClose={close} />}
      {enroll.data !== undefined && step === "scan" && <ScanStep enrollment={enroll.data} confirm={confirm} onClose={close} />}
      {codes !== undefined && <RecoveryCodes codes={codes} onKept={close} />}
    </Dialog>
  );
}

interface PasswordProps {
  readonly enroll: ReturnType<typeof useEnroll>;
  readonly onClose: () => void;
}

function PasswordStep({ enroll, onClose }: PasswordProps): ReactElement {
  const { t } = useTranslation();
  const waitS = useWait(enroll.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    enroll.mutate((new FormData(event.currentTarget).get("password") as string | null) ?? "");
  };
  return (
    <form onSubmit={submit} className={form.form}>
      <p className={form.text}>{t("mfa.passwordText")}</p>
      <PasswordInput size="sm" name="password" label={t("login.password")} autoComplete="current-password" required withAsterisk={false} data-autofocus
        visibilityToggleButtonProps={{ "aria-label": t("password.show") }} />
      <FormProblem error={enroll.error} />
      <Answers submit={t("next")} busy={enroll.isPending} disabled={waitS > 0} onCancel={onClose} />
    </form>
  );
}

interface ScanProps {
  readonly enrollment: Enrollment;
  readonly confirm: ReturnType<typeof useConfirmFactor>;
  readonly onClose: () => void;
}

function ScanStep({ enrollment, confirm, onClose }: ScanProps): ReactElement {
  const { t } = useTranslation();
  const waitS = useWait(confirm.error);
  return (
    <form
      className={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        confirm.mutate(codeOf(event.currentTarget));
      }}
    >
      <p className={form.text}>{t("mfa.scanText")}</p>
      <div className={styles.scan}>
        <img src={enrollment.qr} alt={t("mfa.qr")} width={176} height={176} />
        <div>
          <p className={styles.label}>{t("mfa.byHand")}</p>
          <code className={styles.secret}>{enrollment.secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code>
          <p className={styles.openHere}>
            <a href={enrollment.uri}>{t("mfa.openHere")}</a>
          </p>
        </div>
      </div>
      <CodeField digitsOnly />
      <FormProblem error={confirm.error} />
      <Answers submit={t("mfa.confirm")} busy={confirm.isPending} disabled={waitS > 0} onCancel={onClose} />
    </form>
  );
}
