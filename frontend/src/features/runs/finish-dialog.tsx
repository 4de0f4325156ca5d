/** End a run, and say how it ended. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Run } from "@/api/model";
import { useChangeRun } from "@/api/runs";
import { Dialog } from "@/ui/dialog";
import { explain } from "@/ui/explain";

import styles from "./run.module.css";

interface Props {
  readonly run: Run;
  readonly recording: boolean;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function FinishDialog({ run, recording, opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const change = useChangeRun(run.id);
  const finish = (status: "succeeded" | "failed"): void => change.mutate({ kind: "finish", status }, { onSuccess: onClose });
  return (
    <Dialog opened={opened} onClose={onClose} size="small" title={t("run.finishTitle", { number: run.number })}>
      <p>{recording ? t("run.finishRecording") : t("run.finishText")}</p>
      {change.error !== null && (
        <p role="alert" className={styles.problem}>
          {explain(change.error, t).detail}
        </p>
      )}
      <div className={styles.answers}>
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button loading={change.isPending} onClick={() => finish("failed")}>
          {t("run.asFailed")}
        </Button>
        <Button variant="filled" data-autofocus loading={change.isPending} onClick={() => finish("succeeded")}>
          {t("run.asSucceeded")}
        </Button>
      </div>
    </Dialog>
  );
}
