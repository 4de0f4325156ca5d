/** What a language must hold for an English table: each key, and the further plural forms that Slavic languages need. */

type Plural<K> = K extends `${infer Base}_one` ? `${Base}_few` | `${Base}_many` : never;

export type Translated<T> = Record<keyof T | Plural<keyof T>, string>;
