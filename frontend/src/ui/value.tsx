/** A number with its unit at half its size behind it. */

import type { ReactElement } from "react";

import styles from "./value.module.css";

interface Props {
  readonly value: string;
  readonly unit?: string;
  readonly size?: "row" | "tile" | "summary" | "timer" | "test";
  readonly quiet?: boolean;
}

export function Value({ value, unit, size = "row", quiet = false }: Props): ReactElement {
  return (
    <span className={`${styles.value ?? ""} ${styles[size] ?? ""}`} data-quiet={quiet || undefined}>
      <span className={styles.number}>{value}</span>
      {unit !== undefined && unit !== "" && <span className={styles.unit}>{unit}</span>}
    </span>
  );
}
