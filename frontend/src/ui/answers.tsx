/** The last row of a form: away from it, or on with it. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import styles from "./form.module.css";

interface Props {
  readonly submit: string;
  readonly busy: boolean;
  readonly disabled?: boolean;
  readonly onCancel: () => void;
}

export function Answers({ submit, busy, disabled = false, onCancel }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={styles.answers}>
      <Button onClick={onCancel}>{t("cancel")}</Button>
      <Button type="submit" variant="filled" loading={busy} disabled={disabled}>
        {submit}
      </Button>
    </div>
  );
}

/** The only answer to something that was shown. */
export function CloseAnswer({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={styles.answers}>
      <Button variant="filled" onClick={onClose}>
        {t("close")}
      </Button>
    </div>
  );
}
