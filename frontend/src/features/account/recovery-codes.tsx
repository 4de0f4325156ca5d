/** The recovery codes, shown this once: to be copied or saved before the dialog lets go. */

import { Button, CopyButton } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Check } from "@/ui/check";
import { saveText } from "@/ui/save-text";
import form from "@/ui/form.module.css";
import { Icon } from "@/ui/icons";

import styles from "./account.module.css";

interface Props {
  readonly codes: readonly string[];
  readonly onKept: () => void;
}

export function RecoveryCodes({ codes, onKept }: Props): ReactElement {
  const { t } = useTranslation();
  const [kept, setKept] = useState(false);
  const text = `${codes.join("\n")}\n`;
  return (
    <div className={form.form}>
      <p className={form.text}>{t("recovery.text")}</p>
      <ul className={styles.codes} aria-label={t("recovery.title")}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className={styles.row}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button leftSection={<Icon name={copied ? "check" : "copy"} size={14} />} onClick={copy} autoFocus>
              {copied ? t("copied") : t("recovery.copy")}
            </Button>
          )}
        </CopyButton>
        <Button leftSection={<Icon name="download" size={14} />} onClick={() => saveText(`${t("recovery.fileHead", { site: window.location.host })}\n\n${text}`, "etp-recovery-codes.txt")}>
          {t("recovery.save")}
        </Button>
      </div>
      <p className={form.once}>
        <Icon name="warn" size={14} /> {t("recovery.once")}
      </p>
      <div className={styles.close}>
        <Check checked={kept} onChange={setKept}>
          {t("recovery.kept")}
        </Check>
        <Button variant="filled" disabled={!kept} onClick={onKept}>
          {t("close")}
        </Button>
      </div>
    </div>
  );
}
