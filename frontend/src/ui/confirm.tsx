/** Asks before something that others feel, and stays open with the reason when it was refused. */

import { Button } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "./dialog";
import { FormProblem } from "./form-problem";
import styles from "./form.module.css";

interface Props<T> {
  /** What is asked about; null while nothing is. */
  readonly about: T | null;
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly change: UseMutationResult<unknown, Error, T>;
  readonly onClose: () => void;
  readonly onDone?: (about: T) => void;
}

export function Confirm<T>({ about, title, text, action, change, onClose, onDone }: Props<T>): ReactElement {
  const { t } = useTranslation();
  const close = (): void => {
    change.reset();
    onClose();
  };
  return (
    <Dialog opened={about !== null} onClose={close} size="small" title={title}>
      <div className={styles.form}>
        <p className={styles.text}>{text}</p>
        <FormProblem error={change.error} />
        <div className={styles.answers}>
          <Button onClick={close}>{t("cancel")}</Button>
          <Button variant="filled" data-autofocus loading={change.isPending}
            onClick={() => {
              if (about === null) return;
              change.mutate(about, {
                onSuccess: () => {
                  close();
                  onDone?.(about);
                },
              });
            }}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
