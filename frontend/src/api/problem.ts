/** A refusal of the hub (RFC 9457), or no answer at all, as one error that says what and where. */

import type { components } from "./schema";

type Document = components["schemas"]["ProblemDocument"];

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    /** Stable word for the kind of problem; `unreachable` when the hub did not answer. */
    readonly code: string,
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string | null = null,
    /** Messages by field, its path joined with dots. */
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(detail === "" ? title : detail);
  }
}

export function unreachable(): ApiProblem {
  return new ApiProblem("unreachable", 0, "The hub does not answer", "", null);
}

export function problemOf(body: unknown, response: Response): ApiProblem {
  const requestId = response.headers.get("X-Request-ID");
  if (typeof body !== "object" || body === null || !("title" in body)) {
    return new ApiProblem("unknown", response.status, `${response.status} ${response.statusText}`, "", requestId);
  }
  const document = body as Partial<Document>;
  const fields: Record<string, string> = {};
  for (const { loc, msg } of document.errors ?? []) {
    const path = loc.map(String);
    fields[(path[0] === "body" ? path.slice(1) : path).join(".")] = msg;
  }
  const code = document.type?.split("/").at(-1) ?? "unknown";
  return new ApiProblem(code, response.status, document.title ?? code, document.detail ?? "", requestId ?? document.instance ?? null, fields);
}
