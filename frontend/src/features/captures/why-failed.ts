/** Why a capture failed, in words. */

import type { TFunction } from "i18next";

import type { Capture } from "@/api/model";
import { count } from "@/ui/format";

/** In the reader's language; what failed before there were codes has the hub's sentence only. */
export function whyFailed({ failure, failure_code: code, failure_sensors: sensors }: Capture, t: TFunction): string {
  if (code === null) return failure ?? "";
  const lacks = (sensors ?? []).map((each) => `${each.sensor} (${count(each.samples)})`).join(", ");
  return t(`failure.${code}`, { sensors: lacks });
}
