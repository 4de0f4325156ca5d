/** A packet's delay, coloured from five seconds on. */

import type { ReactElement } from "react";

import { delay } from "@/ui/format";

import { LATE_MS, VERY_LATE_MS } from "./live-sensor";

export function Delay({ ms }: { readonly ms: number | null }): ReactElement {
  if (ms === null) return <span>–</span>;
  const { value, unit } = delay(ms);
  const color = ms > VERY_LATE_MS ? "var(--bad)" : ms > LATE_MS ? "var(--warn)" : undefined;
  return (
    <span style={color === undefined ? undefined : { color, fontWeight: 600 }}>
      {value} {unit}
    </span>
  );
}
