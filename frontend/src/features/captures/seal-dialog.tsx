/** Whether a capture is whole: how far its seal is, its manifests, and what verifying them found. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayEdit } from "@/api/me";
import type { Capture } from "@/api/model";
import { useManifest, useSeal, useVerify } from "@/api/seals";
import { Dialog } from "@/ui/dialog";
import { explain } from "@/ui/explain";
import { count } from "@/ui/format";
import { Loading, ProblemNote } from "@/ui/list-states";

import { Copy, SealTable } from "./seal-table";
import styles from "./seal-dialog.module.css";
import { Verified } from "./verified";
import { whyFailed } from "./why-failed";

interface Props {
  readonly capture: Capture;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function SealDialog({ capture, opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} size="large" title={t("seal.title", { number: capture.ordinal_number })}>
      <Content capture={capture} />
    </Dialog>
  );
}

function Content({ capture }: { readonly capture: Capture }): ReactElement {
  const { t } = useTranslation();
  const mayEdit = useMayEdit();
  const manifest = useManifest(capture);
  const seal = useSeal(capture);
  const verify = useVerify(capture);
  const sealable = capture.sealing === null && (capture.status === "finished" || (capture.status === "sealed" && capture.late_waiting > 0));
  const failure = seal.error ?? verify.error;
  return (
    <>
      <Standing capture={capture} />
      {capture.seals > 0 && manifest.isPending && <Loading />}
      {manifest.error !== null && (
        <ProblemNote title={t("seal.problem")} problem={explain(manifest.error, t)} onRetry={() => void manifest.refetch()} />
      )}
      {manifest.data?.seals.toReversed().map((each) => <SealTable key={each.seal} seal={each} />)}
      {verify.data !== undefined && <Verified found={verify.data} />}
      {verify.isPending && <p className={styles.text}>{t("seal.verifying")}</p>}
      {failure !== null && (
        <p role="alert" className={styles.bad}>
          {explain(failure, t).detail}
        </p>
      )}
      <div className={styles.answers}>
        {manifest.data !== undefined && (
          <Copy value={JSON.stringify(manifest.data, null, 2)} label={t("seal.copyAll")}>
            {t("seal.copyAll")}
          </Copy>
        )}
        {capture.status === "sealed" && (
          <Button loading={verify.isPending} onClick={() => verify.mutate()}>
            {t("seal.verify")}
          </Button>
        )}
        {mayEdit && sealable && (
          <Button variant="filled" loading={seal.isPending} onClick={() => seal.mutate()}>
            {capture.status === "sealed" ? t("seal.again") : t("seal.now")}
          </Button>
        )}
      </div>
    </>
  );
}

function Standing({ capture }: { readonly capture: Capture }): ReactElement {
  const { t } = useTranslation();
  const { sealing } = capture;
  return (
    <>
      {capture.status === "finished" && sealing === null && <p className={styles.text}>{t("seal.finished")}</p>}
      {capture.status === "failed" && <p className={styles.text}>{t("seal.failed", { why: whyFailed(capture, t) })}</p>}
      {sealing !== null && (
        <p className={styles.text} role="status">
          {t("seal.progress", { seal: sealing.seal, done: sealing.sensors_done, sensors: sealing.sensors, samples: count(sealing.samples) })}
          {sealing.error !== null && <span className={styles.bad}> {t("seal.retried", { why: sealing.error })}</span>}
        </p>
      )}
      {capture.seals > 0 && capture.late_waiting > 0 && (
        <p className={styles.text}>{t("seal.waiting", { count: capture.late_waiting, n: count(capture.late_waiting) })}</p>
      )}
    </>
  );
}
