/** The bar under the header: where one is, and what can be done there. */

import type { ReactElement, ReactNode } from "react";

import styles from "./page-bar.module.css";

interface Props {
  readonly title: ReactNode;
  readonly before?: ReactNode;
  readonly after?: ReactNode;
  /** The parts of the page, as words; on a phone they take a row of their own. */
  readonly tabs?: ReactNode;
  /** Several buttons take a row of their own on a phone. */
  readonly several?: boolean;
  readonly children?: ReactNode;
}

export function PageBar({ title, before, after, tabs, several = false, children }: Props): ReactElement {
  return (
    <div className={styles.bar} data-tabs={tabs !== undefined || undefined} data-several={several || undefined}>
      <div className={styles.where}>
        {before !== undefined && (
          <span className={styles.before}>
            {before} <span aria-hidden="true">/</span>
          </span>
        )}
        <h1 className={styles.title}>{title}</h1>
        {after !== undefined && <span className={styles.after}>{after}</span>}
      </div>
      {tabs !== undefined && <div className={styles.tabs}>{tabs}</div>}
      <div className={styles.actions}>{children}</div>
    </div>
  );
}
