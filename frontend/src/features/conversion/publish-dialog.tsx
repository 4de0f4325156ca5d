/** Publishing a draft: from when on, and whether old captures get it too. */

import { TextInput } from "@mantine/core";
import { useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { usePublish, type Profile, type Publication } from "@/api/profiles";
import { Answers } from "@/ui/answers";
import { Choices } from "@/ui/choices";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { toast } from "@/ui/toasts";

interface Props {
  readonly sensor: Sensor;
  readonly profile: Profile | null;
  readonly onClose: () => void;
}

type How = "now" | "later" | "backfill";

export function PublishDialog({ sensor, profile, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const publish = usePublish(sensor.id);
  const [how, setHow] = useState<How>("now");
  const [at, setAt] = useState("");
  const [days, setDays] = useState("30");
  const close = (): void => {
    publish.reset();
    onClose();
  };
  const ready = how === "now" || (how === "later" ? !Number.isNaN(Date.parse(at)) : /^\d+$/.test(days) && Number(days) >= 1);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (profile === null || !ready) return;
    publish.mutate(
      { profile, how: publication(how, at, days) },
      {
        onSuccess: (made) => {
          close();
          toast({ tone: "info", title: t("conversion.published", { version: made.version }), detail: t("conversion.publishedText") });
        },
      },
    );
  };
  const ways = [
    { value: "now", title: t("conversion.atOnce"), text: t("conversion.atOnceText") },
    { value: "later", title: t("conversion.later"), text: t("conversion.laterText") },
    { value: "backfill", title: t("conversion.withBackfill"), text: t("conversion.withBackfillText") },
  ] as const;
  return (
    <Dialog opened={profile !== null} onClose={close} title={t("conversion.publishTitle", { version: profile?.version ?? 0 })}>
      <form className={form.form} onSubmit={submit}>
        <Choices question={t("conversion.when")} value={how} choices={ways} onChange={setHow} />
        {how === "later" && <TextInput size="sm" type="datetime-local" step={1} label={t("conversion.validFrom")} value={at} onChange={(event) => setAt(event.currentTarget.value)} />}
        {how === "backfill" && <TextInput size="sm" inputMode="numeric" label={t("conversion.days")} value={days} onChange={(event) => setDays(event.currentTarget.value)} />}
        <FormProblem error={publish.error} />
        <Answers submit={t("conversion.publish")} busy={publish.isPending} disabled={!ready} onCancel={close} />
      </form>
    </Dialog>
  );
}

export function publication(how: How, at: string, days: string): Publication {
  if (how === "later") return { mode: "prospective", valid_from: new Date(at).toISOString() };
  return how === "backfill" ? { mode: "backfill", days: Number(days) } : { mode: "prospective" };
}
