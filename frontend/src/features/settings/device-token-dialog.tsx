/** Show or replace a device's token: a code first, then the token, this once. */

import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useDeviceToken, type Device } from "@/api/device-tokens";
import { ApiProblem } from "@/api/problem";
import { Answers, CloseAnswer } from "@/ui/answers";
import { CodeField, codeOf } from "@/ui/code-field";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { seconds, stamp } from "@/ui/format";
import { Select } from "@/ui/select";
import { ShownOnce } from "@/ui/shown-once";
import { useWait } from "@/ui/use-wait";

export interface Asked {
  readonly device: Device;
  readonly action: "view" | "replace";
}

/** Seconds that the old token stays good beside the new one. */
const OVERLAPS = ["0", "3600", "86400", "604800"] as const;

interface Props {
  readonly asked: Asked | null;
  readonly onClose: () => void;
}

export function DeviceTokenDialog({ asked, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const name = asked?.device.name ?? "";
  return (
    <Dialog opened={asked !== null} onClose={onClose} title={asked?.action === "replace" ? t("devices.replaceNamed", { name }) : t("devices.viewNamed", { name })}>
      {asked !== null && <Content asked={asked} onClose={onClose} />}
    </Dialog>
  );
}

function Content({ asked, onClose }: { readonly asked: Asked; readonly onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const request = useDeviceToken();
  const [overlap, setOverlap] = useState<(typeof OVERLAPS)[number]>("86400");
  const waitS = useWait(request.error);
  const replacing = asked.action === "replace";
  if (request.data !== undefined) {
    const until = request.data.old_token_until ?? null;
    const warning = !replacing ? t("devices.shown") : until === null ? t("devices.replaced") : t("devices.replacedUntil", { time: stamp(seconds(until)) });
    return (
      <div className={form.form}>
        <ShownOnce label={t("sensor.token")} secret={request.data.token} warning={warning} />
        <CloseAnswer onClose={onClose} />
      </div>
    );
  }
  // The hub refuses a wrong code and a missing second factor by the same name; this account has one.
  const wrongCode = request.error instanceof ApiProblem && request.error.code === "mfa-required";
  return (
    <form
      className={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        request.mutate({ device: asked.device, otp: codeOf(event.currentTarget), overlapS: replacing ? Number(overlap) : null });
      }}
    >
      <p className={form.text}>{replacing ? t("devices.replaceText") : t("devices.viewText")}</p>
      {replacing && (
        <Select size="sm" label={t("devices.overlap")} value={overlap} onChange={setOverlap}
          data={OVERLAPS.map((value) => ({ value, label: t(`overlap.${value}`) }))} />
      )}
      <CodeField error={wrongCode ? t("problem.otp-refused") : undefined} />
      {!wrongCode && <FormProblem error={request.error} />}
      <Answers submit={replacing ? t("devices.replace") : t("devices.view")} busy={request.isPending} disabled={waitS > 0} onCancel={onClose} />
    </form>
  );
}
