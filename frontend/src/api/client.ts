/** The typed HTTP client: authorises each request, renews the token once when it was refused, throws problems. */

import createClient from "openapi-fetch";

import { problemOf, unreachable } from "./problem";
import type { paths } from "./schema";
import { renew, session } from "./session";

/** Ends with the session: what is still asked for with its token would only be refused. */
let open = new AbortController();
session.on(() => {
  if (session.state() !== "out") return;
  open.abort();
  open = new AbortController();
});

async function authorised(request: Request): Promise<Response> {
  const again = request.clone();
  const send = async (each: Request, token: string | null): Promise<Response> => {
    if (token !== null) each.headers.set("Authorization", `Bearer ${token}`);
    try {
      return await fetch(each, token === null ? {} : { signal: AbortSignal.any([each.signal, open.signal]) });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw unreachable();
    }
  };
  const answer = await send(request, session.token());
  if (answer.status !== 401) return answer;
  const token = await renew();
  return token === null ? answer : send(again, token);
}

export const api = createClient<paths>({ baseUrl: globalThis.location.origin, fetch: authorised });

/** The body of an answer, or the problem thrown. */
export async function body<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Exclude<T, undefined>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw problemOf(error, response);
  return data as Exclude<T, undefined>;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

/** All items of a paged list. */
export async function all<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
