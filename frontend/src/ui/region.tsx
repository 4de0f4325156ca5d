/** One subject of a settings page: what it is on the left, its controls on the right. */

import { useId, type ReactElement, type ReactNode } from "react";

import styles from "./region.module.css";

interface Props {
  readonly title: string;
  readonly text?: ReactNode;
  readonly children: ReactNode;
}

export function Region({ title, text, children }: Props): ReactElement {
  const id = useId();
  return (
    <section className={styles.region} aria-labelledby={id}>
      <div className={styles.about}>
        <h2 id={id}>{title}</h2>
        {text !== undefined && <p>{text}</p>}
      </div>
      <div className={styles.content}>{children}</div>
    </section>
  );
}
