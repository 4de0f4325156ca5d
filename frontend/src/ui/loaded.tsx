/** What a query brought, or that it is under way, or why it failed and that it can be tried again. */

import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { explain } from "./explain";
import { Loading, ProblemNote } from "./list-states";

interface Props<T> {
  readonly query: { readonly data: T | undefined; readonly isPending: boolean; readonly error: Error | null; readonly refetch: () => unknown };
  /** Says what could not be loaded. */
  readonly problem: string;
  readonly children: (data: T) => ReactNode;
}

export function Loaded<T>({ query, problem, children }: Props<T>): ReactElement {
  const { t } = useTranslation();
  if (query.isPending) return <Loading />;
  if (query.data === undefined) return <ProblemNote title={problem} problem={explain(query.error, t)} onRetry={() => void query.refetch()} />;
  return <>{children(query.data)}</>;
}
