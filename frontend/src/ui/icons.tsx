/** The few line icons of the dashboard, 16 px, in the colour of their text. */

import type { ReactElement } from "react";

const PATHS = {
  logo: "M1 9h3l2.5-6 3.5 11 2.5-5H15",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.5-1.5L14 14",
  plus: "M8 3v10M3 8h10",
  down: "m4 6 4 4 4-4",
  right: "m6 4 4 4-4 4",
  link: "M7 9a2.5 2.5 0 0 0 3.6 0l2.2-2.2a2.5 2.5 0 0 0-3.6-3.6L8.2 4.2M9 7a2.5 2.5 0 0 0-3.6 0L3.200 9.200a2.5 2.5 0 0 0 3.6 3.6l1-1",
  updown: "m5 6 3-3 3 3M5 10l3 3 3-3",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  unlock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 4.9-.7",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5 9 7M2.5 13.5 7 9",
  shrink: "M13 6.5H9.5V3M3 9.5h3.5V13M9.5 6.5 14 2M6.5 9.5 2 14",
  check: "m3 8.5 3.5 3.5L13 4.5",
  cross: "m4 4 8 8M12 4l-8 8",
  warn: "M8 2 14.5 13.5H1.5zM8 6.5v3.5M8 11.8v.2",
  download: "M8 2.5v7.5M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7-4.5z",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  readonly name: IconName;
  readonly size?: number;
}

export function Icon({ name, size = 16 }: Props): ReactElement {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={1.5}
      strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
