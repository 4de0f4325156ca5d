/** A status as a word on a tint. */

import type { ReactElement, ReactNode } from "react";

import styles from "./tag.module.css";

interface Props {
  readonly tone: "ok" | "warn" | "bad" | "info" | "none";
  readonly outlined?: boolean;
  readonly children: ReactNode;
}

export function Tag({ tone, outlined = false, children }: Props): ReactElement {
  return (
    <span className={styles.tag} data-tone={tone} data-outlined={outlined || undefined}>
      {children}
    </span>
  );
}

/** How a run's, an experiment's or a capture's status reads in colour. */
export function toneOf(status: string): Props["tone"] {
  switch (status) {
    case "running":
      return "ok";
    case "failed":
      return "bad";
    default:
      return "none";
  }
}
