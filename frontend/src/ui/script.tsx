/** Lines for a shell, whole in sight, with a button that copies them. */

import { Button, CopyButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "./icons";
import styles from "./script.module.css";

export function Script({ label, children }: { readonly label: string; readonly children: string }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={styles.script}>
      <pre tabIndex={0} aria-label={label}>
        {children}
      </pre>
      <CopyButton value={children}>
        {({ copied, copy }) => (
          <Button leftSection={<Icon name={copied ? "check" : "copy"} size={14} />} aria-label={copied ? t("copied") : t("copyOf", { what: label })} onClick={copy}>
            {copied ? t("copied") : t("copy")}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
