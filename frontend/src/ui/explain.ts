/** A problem as a sentence for people and an id for whoever looks into it. */

import type { TFunction } from "i18next";

import { ApiProblem } from "@/api/problem";

export interface Explained {
  readonly detail: string;
  readonly requestId: string | null;
}

export function explain(error: unknown, t: TFunction): Explained {
  if (!(error instanceof ApiProblem)) return { detail: error instanceof Error ? error.message : String(error), requestId: null };
  if (error.code === "unreachable") return { detail: t("problem.unreachable"), requestId: null };
  // Pages that loaded their own words for a problem say it in the reader's language; the hub speaks English.
  const own = t(`problem.${error.code}` as "problem.unreachable", { defaultValue: "" });
  if (own !== "") return { detail: own, requestId: error.requestId };
  const detail = error.detail === "" || error.detail === error.title ? error.title : `${error.title.replace(/\.$/, "")}. ${error.detail}`;
  return { detail: error.status >= 500 ? `${t("problem.answered", { status: error.status })} ${detail}` : detail, requestId: error.requestId };
}
