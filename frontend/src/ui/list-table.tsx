/** A table of things with names: the first column heads each row, and a phone shows fewer columns. */

import type { ReactElement, ReactNode } from "react";

import styles from "./list-table.module.css";

export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => ReactNode;
  /** Left out on a phone. */
  readonly optional?: boolean;
  readonly right?: boolean;
  readonly width?: string;
}

interface Props<T> {
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** The first of them names the row. */
  readonly columns: readonly [Column<T>, ...Column<T>[]];
  /** Rows that hold controls are higher. */
  readonly roomy?: boolean;
  /** Rows that matter less than the others. */
  readonly quiet?: (row: T) => boolean;
}

export function ListTable<T>({ rows, keyOf, columns, roomy = false, quiet }: Props<T>): ReactElement {
  const [name, ...others] = columns;
  return (
    <div className={styles.wrap}>
      <table className={styles.table} data-roomy={roomy || undefined}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" className={classOf(column)} style={column.width === undefined ? undefined : { width: column.width }}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className={quiet?.(row) === true ? styles.quiet : undefined}>
              <th scope="row">{name.cell(row)}</th>
              {others.map((column) => (
                <td key={column.head} className={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classOf<T>({ optional = false, right = false }: Column<T>): string | undefined {
  const names = [optional && styles.optional, right && styles.right].filter((each) => typeof each === "string");
  return names.length === 0 ? undefined : names.join(" ");
}
