/** One of a few ways, each with what it means. */

import { useId, type ReactElement } from "react";

import styles from "./choices.module.css";

interface Props<T extends string> {
  /** Read out, not drawn: the heading above says it to the eye. */
  readonly question: string;
  readonly value: T;
  readonly choices: readonly { readonly value: T; readonly title: string; readonly text: string }[];
  readonly onChange: (value: T) => void;
}

export function Choices<T extends string>({ question, value, choices, onChange }: Props<T>): ReactElement {
  const name = useId();
  return (
    <fieldset className={styles.choices}>
      <legend className={styles.question}>{question}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className={styles.choice}>
          <input type="radio" name={name} value={choice.value} checked={choice.value === value} onChange={() => onChange(choice.value)} />
          <span>
            <b>{choice.title}</b>
            <small>{choice.text}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
