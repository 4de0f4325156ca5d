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
    /** Milliseconds since 1970 before which another try is refused as well; null where the hub names no time. */
    readonly retryAt: number | null = null,
  ) {
    super(detail === "" ? title : detail);
  }
}

/** Whether the hub says that there is no such thing, or none that one may know of: another try finds nothing either. */
export const isMissing = (error: unknown): boolean => error instanceof ApiProblem && error.status === 404;

export function unreachable(): ApiProblem {
  return new ApiProblem("unreachable", 0, "The hub does not answer", "", null);
}

export function problemOf(body: unknown, response: Response): ApiProblem {
  const requestId = response.headers.get("X-Request-ID");
  const waitS = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const retryAt = Number.isNaN(waitS) ? null : Date.now() + waitS * 1000;
  if (typeof body !== "object" || body === null || !("title" in body)) {
    return new ApiProblem("unknown", response.status, `${response.status} ${response.statusText}`, "", requestId, {}, retryAt);
  }
  const document = body as Partial<Document>;
  const fields: Record<string, string> = {};
  for (const { loc, msg } of document.errors ?? []) {
    const path = loc.map(String);
    fields[(path[0] === "body" ? path.slice(1) : path).join(".")] = msg;
  }
  const code = document.type?.split("/").at(-1) ?? "unknown";
  const instance = requestId ?? document.instance ?? null;
  return new ApiProblem(code, response.status, document.title ?? code, document.detail ?? "", instance, fields, retryAt);
}

/** What the hub says of single fields; empty where it refused for another reason, or did not refuse. */
export function refusedFields(error: unknown): Readonly<Record<string, string>> {
  return error instanceof ApiProblem ? error.fields : {};
}
