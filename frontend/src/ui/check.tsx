/** A box to tick, with what it means beneath. */

import type { ReactElement, ReactNode } from "react";

import styles from "./check.module.css";

interface Props {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly help?: string;
  readonly children: ReactNode;
}

export function Check({ checked, onChange, help, children }: Props): ReactElement {
  return (
    <label className={styles.check}>
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        {children}
        {help !== undefined && <small>{help}</small>}
      </span>
    </label>
  );
}
