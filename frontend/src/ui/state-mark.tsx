/** The mark of a state: its shape says as much as its colour. */

import type { ReactElement } from "react";

export type Mark = "ok" | "warn" | "bad" | "info" | "none" | "done";

interface Props {
  readonly mark: Mark;
  readonly size?: number;
  /** On a filled block the mark takes the colour of the text. */
  readonly plain?: boolean;
}

const COLOR: Record<Mark, string> = {
  ok: "var(--ok-mark)",
  warn: "var(--warn-mark)",
  bad: "var(--bad-mark)",
  info: "var(--info-mark)",
  none: "var(--none-mark)",
  done: "var(--none-mark)",
};

export function StateMark({ mark, size = 10, plain = false }: Props): ReactElement {
  const color = plain ? "currentColor" : COLOR[mark];
  return (
    <svg width={size} height={size} viewBox="0 0 10 10" aria-hidden="true" focusable="false" style={{ flex: "none" }}>
      {mark === "ok" && <circle cx={5} cy={5} r={4.25} fill={color} />}
      {mark === "warn" && <path d="M5 0 10 5 5 10 0 5Z" fill={color} />}
      {mark === "bad" && <circle cx={5} cy={5} r={3.2} fill="none" stroke={color} strokeWidth={2} />}
      {mark === "info" && <circle cx={5} cy={5} r={4} fill="none" stroke={color} strokeWidth={1.4} strokeDasharray="4 3" />}
      {mark === "none" && <circle cx={5} cy={5} r={3.9} fill="none" stroke={color} strokeWidth={1.2} />}
      {mark === "done" && <rect x={1} y={1} width={8} height={8} rx={1.5} fill={color} />}
    </svg>
  );
}
