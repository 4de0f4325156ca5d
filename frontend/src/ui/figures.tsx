/** Facts in two columns: what it is, and what it comes to. */

import type { ReactElement, ReactNode } from "react";

import styles from "./figures.module.css";

export interface Figure {
  readonly label: string;
  readonly value: ReactNode;
  readonly worse?: boolean;
}

export function Figures({ rows }: { readonly rows: readonly Figure[] }): ReactElement {
  return (
    <dl className={styles.figures}>
      {rows.map(({ label, value, worse = false }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd data-worse={worse || undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
