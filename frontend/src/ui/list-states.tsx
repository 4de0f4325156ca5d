/** What a list shows instead of rows: loading, nothing found, or a problem with what can be done. */

import { Button } from "@mantine/core";
import { useEffect, useState, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "./icons";
import styles from "./list-states.module.css";

const PATIENCE_MS = 300;

export function Loading({ rows = 3 }: { readonly rows?: number }): ReactElement {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label={t("list.loading")} className={styles.loading}>
      {shown &&
        Array.from({ length: rows }, (_, i) => (
          <div key={i} className={styles.ghost}>
            <span /> <span style={{ width: `${26 + ((i * 17) % 20)}%` }} /> <span />
          </div>
        ))}
    </div>
  );
}

interface ProblemProps {
  readonly title: string;
  readonly problem: { readonly detail: string; readonly requestId: string | null };
  readonly onRetry?: () => void;
}

export function ProblemNote({ title, problem, onRetry }: ProblemProps): ReactElement {
  const { t } = useTranslation();
  return (
    <div role="alert" className={styles.problem}>
      <span className={styles.sign}><Icon name="warn" /></span>
      <div>
        <strong>{title}</strong>
        <p>
          {problem.detail} {problem.requestId !== null && t("list.request", { id: problem.requestId.slice(0, 13) })}
        </p>
      </div>
      {onRetry !== undefined && <Button onClick={onRetry}>{t("list.retry")}</Button>}
    </div>
  );
}

interface NothingProps {
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

export function NothingFound({ children, action }: NothingProps): ReactElement {
  return (
    <div className={styles.nothing}>
      <p>{children}</p>
      {action}
    </div>
  );
}
