/** One seal of a capture: when and why it was made, and what each sensor's series was then. */

import { Button, CopyButton } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Manifest } from "@/api/model";
import { count, seconds } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Time } from "@/ui/time";

import styles from "./seal-dialog.module.css";

const SHOWN = 16;

export function SealTable({ seal }: { readonly seal: Manifest["seals"][number] }): ReactElement {
  const { t } = useTranslation();
  return (
    <section className={styles.seal} aria-label={t("seal.numbered", { seal: seal.seal })}>
      <div className={styles.head}>
        <b>{t("seal.numbered", { seal: seal.seal })}</b>
        <small>
          <Time at={seconds(seal.sealed_at)} form="moment" /> · {t(`seal.${seal.cause}`)}
          {seal.requested_by !== null && ` · ${t("seal.by", { name: seal.requested_by.name })}`}
        </small>
        <Hash value={seal.sha256} of={t("seal.manifest")} />
      </div>
      <div className={styles.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("seal.sensor")}</th>
              <th scope="col" className={styles.number}>{t("seal.samples")}</th>
              <th scope="col" className={styles.number}>{t("seal.added")}</th>
              <th scope="col">SHA-256</th>
            </tr>
          </thead>
          <tbody>
            {seal.sensors.map((each) => (
              <tr key={each.sensor_id}>
                <th scope="row">{each.sensor}</th>
                <td className={styles.number}>{count(each.samples)}</td>
                <td className={styles.number}>{count(each.added)}</td>
                <td>
                  <Hash value={each.sha256} of={each.sensor} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Hash({ value, of }: { readonly value: string; readonly of: string }): ReactElement {
  const { t } = useTranslation();
  return (
    <span>
      <code className={styles.hash} title={value}>
        {value.slice(0, SHOWN)}…
      </code>{" "}
      <Copy value={value} label={t("seal.copyOf", { what: of })} />
    </span>
  );
}

interface CopyProps {
  readonly value: string;
  /** Says what is copied. */
  readonly label: string;
  readonly children?: ReactNode;
}

export function Copy({ value, label, children }: CopyProps): ReactElement {
  const { t } = useTranslation();
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button {...(children === undefined ? { variant: "subtle", size: "compact-xs" } : {})} aria-label={label} onClick={copy}
          leftSection={<Icon name={copied ? "check" : "copy"} size={12} />}>
          {copied ? t("copied") : (children ?? t("seal.copy"))}
        </Button>
      )}
    </CopyButton>
  );
}
