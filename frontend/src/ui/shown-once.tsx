/** A secret that is shown this once: to be selected, copied, kept. */

import { Button, CopyButton, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import styles from "./form.module.css";
import { Icon } from "./icons";

interface Props {
  readonly label: string;
  readonly secret: string;
  /** What becomes of it once this is closed. */
  readonly warning: string;
}

export function ShownOnce({ label, secret, warning }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={styles.secret}>
      <TextInput size="sm" label={label} readOnly value={secret} classNames={{ input: styles.mono ?? "" }} onFocus={(event) => event.currentTarget.select()} />
      <CopyButton value={secret}>
        {({ copied, copy }) => (
          <Button size="sm" autoFocus leftSection={<Icon name={copied ? "check" : "copy"} size={14} />} onClick={copy}>
            {copied ? t("copied") : t("copy")}
          </Button>
        )}
      </CopyButton>
      <p className={styles.once}>
        <Icon name="warn" size={14} /> {warning}
      </p>
    </div>
  );
}
