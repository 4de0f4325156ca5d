/** A local time that tells UTC on hover. */

import { Tooltip } from "@mantine/core";
import type { ReactElement } from "react";

import { clock, moment, utc } from "./format";

interface Props {
  /** Seconds since 1970. */
  readonly at: number;
  readonly form?: "clock" | "moment";
}

export function Time({ at, form = "clock" }: Props): ReactElement {
  return (
    <Tooltip label={utc(at)}>
      <time dateTime={new Date(at * 1000).toISOString()}>{form === "clock" ? clock(at) : moment(at)}</time>
    </Tooltip>
  );
}
