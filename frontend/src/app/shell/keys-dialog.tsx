/** The list of keys. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/ui/dialog";

import styles from "./dialogs.module.css";

const KEYS = [
  ["Ctrl K", "keys.palette"],
  ["?", "keys.list"],
  ["Space", "keys.freeze"],
  ["R", "keys.capture"],
  ["J", "keys.next"],
  ["K", "keys.previous"],
  ["Esc", "keys.back"],
] as const;

interface Props {
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function KeysDialog({ opened, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={t("keys.title")} size="small">
      <dl className={styles.keys}>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key === "Space" ? t("window.space") : key}</kbd>
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
