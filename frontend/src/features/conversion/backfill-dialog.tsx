/** Applying a version to a capture: which, what would change, then start. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useCapturesOf, useDryRun, useStartBackfill } from "@/api/backfills";
import { useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import type { Profile } from "@/api/profiles";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { moment, seconds } from "@/ui/format";
import { Select } from "@/ui/select";

import { DifferenceOfBoth } from "./difference-text";

interface Props {
  readonly sensor: Sensor;
  readonly versions: readonly Profile[];
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function BackfillDialog({ sensor, versions, opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const captures = useCapturesOf(project.id, sensor.id, opened).data;
  const dry = useDryRun();
  const start = useStartBackfill();
  const [captureId, setCaptureId] = useState("");
  const [profileId, setProfileId] = useState("");
  const capture = captures?.find((each) => each.id === captureId) ?? captures?.[0];
  const profile = versions.find((each) => each.id === profileId) ?? versions[0];
  const close = (): void => {
    dry.reset();
    start.reset();
    onClose();
  };
  const again = (change: () => void): void => {
    dry.reset();
    change();
  };
  const asked = capture === undefined || profile === undefined ? null : { captureId: capture.id, profileId: profile.id };
  return (
    <Dialog opened={opened} onClose={close} title={t("backfill.start")}>
      <div className={form.form}>
        <p className={form.text}>{t("backfill.text")}</p>
        {captures?.length === 0 && <p className={form.text}>{t("backfill.noCaptures")}</p>}
        {captures !== undefined && capture !== undefined && profile !== undefined && (
          <>
            <Select size="sm" label={t("backfill.capture")} value={capture.id} onChange={(value) => again(() => setCaptureId(value))}
              data={captures.map((each) => ({
                value: each.id,
                label: `${t("backfill.where", { experiment: each.experiment_name, run: each.run_number, capture: each.ordinal_number })}${each.started_at === null ? "" : `, ${moment(seconds(each.started_at))}`}`,
              }))} />
            <Select size="sm" label={t("backfill.version")} value={profile.id} onChange={(value) => again(() => setProfileId(value))}
              data={versions.map((each) => ({ value: each.id, label: `v${each.version} · ${t(`profile.${each.kind as "linear"}`)} · ${t(`profileStatus.${each.status}`)}` }))} />
          </>
        )}
        {dry.data !== undefined && <DifferenceOfBoth difference={dry.data.difference} elements={dry.data.elements} unit={sensor.display_unit} />}
        {capture?.status === "finished" && <p className={form.text}>{t("backfill.sealsFirst")}</p>}
        <FormProblem error={start.error ?? dry.error} />
        <div className={form.answers}>
          <Button onClick={close}>{t("cancel")}</Button>
          <Button disabled={asked === null} loading={dry.isPending} onClick={() => asked !== null && dry.mutate(asked)}>
            {t("backfill.dryRun")}
          </Button>
          <Button variant="filled" disabled={asked === null || profile?.status === "draft"} loading={start.isPending}
            onClick={() => asked !== null && start.mutate(asked, { onSuccess: close })}>
            {t("backfill.go")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
