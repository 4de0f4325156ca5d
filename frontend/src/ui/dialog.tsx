/** A dialog over the page; the browser's own element traps the focus and gives it back. */

import { CloseButton } from "@mantine/core";
import { useEffect, useId, useRef, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./dialog.module.css";

interface Props {
  readonly opened: boolean;
  readonly onClose: () => void;
  /** Names the dialog; drawn above its content unless `bare`. */
  readonly title: string;
  readonly size?: "small" | "medium" | "large";
  readonly bare?: boolean;
  /** Shows something that is gone afterwards: only an answer in its content closes it, no slip of the hand. */
  readonly locked?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ opened, onClose, title, size = "medium", bare = false, locked = false, children }: Props): ReactElement {
  const { t } = useTranslation();
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog === null || dialog.open === opened) return;
    if (opened) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    } else dialog.close();
  }, [opened]);
  return (
    <dialog
      ref={element}
      className={styles.dialog}
      data-size={size}
      data-bare={bare || undefined}
      {...(bare ? { "aria-label": title } : { "aria-labelledby": titleId })}
      onClose={onClose}
      onCancel={(event) => {
        if (locked) event.preventDefault();
      }}
      onKeyDown={(event) => {
        // A second Escape would close it whatever the cancel event was told.
        if (locked && event.key === "Escape") event.preventDefault();
      }}
      onPointerDown={(event) => {
        // Only the backdrop belongs to the dialog itself.
        if (event.target === element.current && !locked) onClose();
      }}
    >
      {opened && (
        <div className={styles.content}>
          {!bare && (
            <div className={styles.head}>
              <h2 id={titleId}>{title}</h2>
              {!locked && <CloseButton size="sm" aria-label={t("close")} onClick={onClose} />}
            </div>
          )}
          <div className={styles.body}>{children}</div>
        </div>
      )}
    </dialog>
  );
}
