/** The parts of a page as words in its bar; the chosen one lives in the address. */

import type { ReactElement } from "react";
import { Link, useSearchParams } from "react-router";

import styles from "./page-tabs.module.css";

interface Props<T extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly value: T; readonly label: string }[];
  readonly chosen: T;
}

export function PageTabs<T extends string>({ label, tabs, chosen }: Props<T>): ReactElement {
  return (
    <nav aria-label={label} className={styles.tabs}>
      {tabs.map(({ value, label: word }) => (
        <Link key={value} to={`?tab=${value}`} replace aria-current={value === chosen ? "page" : undefined}>
          {word}
        </Link>
      ))}
    </nav>
  );
}

/** The tab that the address names, or the first. */
export function useTab<T extends string>(tabs: readonly [T, ...T[]]): T {
  const named = useSearchParams()[0].get("tab");
  return tabs.find((each) => each === named) ?? tabs[0];
}
