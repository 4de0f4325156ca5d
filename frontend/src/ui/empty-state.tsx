/** An empty list: what would stand here, one way to begin, and the same from a script. */

import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./empty-state.module.css";

interface Props {
  readonly title: string;
  readonly text: string;
  readonly hint: string;
  readonly action?: ReactNode;
  readonly script?: string;
}

const LINE =
  "M0 40l9-4 9 1 9-1 9 0 8-2 9-4 9 1 9-5 9-1 9 4 9-2 9 0 9 4 9-7 9 1 9 5 9-3 9 2 9 1 9-1 9-3 9 6 9-1 9 2 9 1 9-1 9 2 9 6 9 0 9-2 9 4 9 3 8-1 7 1";

export function EmptyState({ title, text, hint, action, script }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <section className={styles.empty}>
      <svg viewBox="0 0 560 78" aria-hidden="true" className={styles.drawing}>
        <path d={LINE} transform="scale(1.113 1)" fill="none" stroke="var(--ink-3)" strokeWidth={1.5} strokeLinejoin="round" />
        {Array.from({ length: 28 }, (_, i) => (
          <path key={i} d={`M${i * 20 + 0.5} 76v${i % 5 === 0 ? -13 : -8}`} stroke="var(--rule-strong)" />
        ))}
        <path d="M336.5 2v74" stroke="var(--none-mark)" strokeDasharray="2 3" />
        <rect x={336.5} y={2} width={222} height={58} rx={3} fill="none" stroke="var(--none-mark)" strokeDasharray="5 4" />
        <text x={350} y={35} fontSize={12} fill="var(--ink-3)">
          {hint}
        </text>
      </svg>
      <h2 className={styles.title}>{title}</h2>
      <p className={styles.text}>{text}</p>
      {action !== undefined && <div className={styles.action}>{action}</div>}
      {script !== undefined && (
        <>
          <p className={styles.label}>{t("empty.script")}</p>
          <pre className={styles.script}>{script}</pre>
        </>
      )}
    </section>
  );
}
