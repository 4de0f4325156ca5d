/** The versions as a list, with what can be done with the chosen one. */

import { Button, UnstyledButton } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayEdit, useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import { useDeleteDraft, useWithdraw, type Profile } from "@/api/profiles";
import { Confirm } from "@/ui/confirm";
import { count, seconds } from "@/ui/format";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";

import styles from "./conversion.module.css";
import { PublishDialog } from "./publish-dialog";

interface Props {
  readonly sensor: Sensor;
  readonly versions: readonly Profile[];
  readonly chosen: Profile | undefined;
  readonly onChoose: (profile: Profile) => void;
}

const TONES = { draft: "warn", scheduled: "info", active: "ok", deprecated: "none" } as const;

export function VersionsPanel({ sensor, versions, chosen, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const mayEdit = useMayEdit();
  const owner = useProject().role === "owner";
  const remove = useDeleteDraft(sensor.id);
  const withdraw = useWithdraw(sensor.id);
  const [publishing, setPublishing] = useState<Profile | null>(null);
  const [removing, setRemoving] = useState<Profile | null>(null);
  const [withdrawing, setWithdrawing] = useState<Profile | null>(null);
  return (
    <section className={styles.list}>
      <h2>
        {t("conversion.versions")} <span>{count(versions.length)}</span>
      </h2>
      <ul>
        {versions.map((profile) => (
          <li key={profile.id} aria-current={profile.id === chosen?.id || undefined}>
            <UnstyledButton className={styles.version} onClick={() => onChoose(profile)}>
              <b>v{profile.version}</b>
              <span>
                {t(`profile.${profile.kind as "linear"}`)}
                <small>
                  {profile.published_by ?? profile.created_by ?? ""} {" · "}
                  {profile.valid_from === null ? profile.status === "draft" ? <Time at={seconds(profile.created_at)} form="moment" /> : t("conversion.fromBeginning") : <Time at={seconds(profile.valid_from)} form="stamp" />}
                </small>
              </span>
              <Tag tone={TONES[profile.status]}>{t(`profileStatus.${profile.status}`)}</Tag>
            </UnstyledButton>
            {profile.id === chosen?.id && profile.status === "draft" && mayEdit && (
              <div className={styles.row}>
                {owner ? (
                  <Button variant="filled" onClick={() => setPublishing(profile)}>
                    {t("conversion.publish")}
                  </Button>
                ) : (
                  <span className={styles.quiet}>{t("conversion.ownerPublishes")}</span>
                )}
                <Button onClick={() => setRemoving(profile)}>{t("conversion.delete")}</Button>
              </div>
            )}
            {profile.id === chosen?.id && profile.status === "scheduled" && owner && (
              <div className={styles.row}>
                <Button onClick={() => setWithdrawing(profile)}>{t("conversion.withdraw")}</Button>
              </div>
            )}
          </li>
        ))}
      </ul>
      <PublishDialog sensor={sensor} profile={publishing} onClose={() => setPublishing(null)} />
      <Confirm about={removing} title={t("conversion.deleteTitle", { version: removing?.version ?? 0 })} text={t("conversion.deleteText")}
        action={t("conversion.delete")} change={remove} onClose={() => setRemoving(null)} />
      <Confirm about={withdrawing} title={t("conversion.withdrawTitle", { version: withdrawing?.version ?? 0 })} text={t("conversion.withdrawText")}
        action={t("conversion.withdraw")} change={withdraw} onClose={() => setWithdrawing(null)} />
    </section>
  );
}
