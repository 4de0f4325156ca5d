/** A local time that tells UTC on hover. */

import { Tooltip } from "@mantine/core";
import type { ReactElement } from "react";

import { calendarDay, clock, moment, stamp, utc } from "./format";

const FORMS = { clock, moment, stamp, day: calendarDay } as const;

interface Props {
  /** Seconds since 1970. */
  readonly at: number;
  readonly form?: keyof typeof FORMS;
}

export function Time({ at, form = "clock" }: Props): ReactElement {
  return (
    <Tooltip label={utc(at)}>
      <time dateTime={new Date(at * 1000).toISOString()}>{FORMS[form](at)}</time>
    </Tooltip>
  );
}
