/** Short notes of what an action came to: what, how much, one way on. */

import { CloseButton, UnstyledButton } from "@mantine/core";
import { useSyncExternalStore, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { StateMark } from "./state-mark";
import styles from "./toasts.module.css";

export interface Toast {
  readonly tone: "ok" | "warn" | "bad" | "info";
  readonly title: string;
  readonly detail?: string;
  /** The way on to what it tells of. */
  readonly action?: { readonly text: string; readonly run: () => void };
}

interface Shown extends Toast {
  readonly id: number;
}

const STAY_MS = 8_000;
let shown: readonly Shown[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Shown[]): void {
  shown = next;
  listeners.forEach((listener) => listener());
}

const remove = (id: number): void => set(shown.filter((each) => each.id !== id));

export function toast(what: Toast): void {
  const id = nextId++;
  set([...shown.slice(-3), { ...what, id }]);
  setTimeout(() => remove(id), STAY_MS);
}

function follow(each: Shown): void {
  remove(each.id);
  each.action?.run();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts(): ReactElement {
  const { t } = useTranslation();
  const list = useSyncExternalStore(subscribe, () => shown);
  return (
    <div className={styles.toasts} role="status">
      {list.map((each) => (
        <div key={each.id} className={styles.toast} data-tone={each.tone}>
          <StateMark mark={each.tone} />
          <div className={styles.text}>
            <strong>{each.title}</strong>
            {each.detail !== undefined && <p>{each.detail}</p>}
            {each.action !== undefined && (
              <UnstyledButton className={styles.action} onClick={() => follow(each)}>
                {each.action.text}
              </UnstyledButton>
            )}
          </div>
          <CloseButton size="xs" aria-label={t("close")} onClick={() => remove(each.id)} />
        </div>
      ))}
    </div>
  );
}
