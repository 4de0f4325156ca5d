/** Who is logged in: the access token lives in this module's memory only, the refresh token in a cookie no script can read. */

import { problemOf, unreachable, type ApiProblem } from "./problem";

/** Renewed this long before it expires. */
const MARGIN_S = 60;
const RETRY_MS = 5_000;
const LOCK = "etp-refresh";
const NOTE = "etp-session";

export type SessionState = "unknown" | "in" | "out";

interface Tokens {
  readonly access_token: string;
  readonly expires_in: number;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** A one-time code, for an account with a second factor. */
  readonly otp?: string;
}

export interface Registration {
  readonly invite_code: string;
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

type Listener = () => void;

let token: string | null = null;
let state: SessionState = "unknown";
let timer: ReturnType<typeof setTimeout> | undefined;
let refreshing: Promise<string | null> | null = null;
/** Why the hub ended the last session, for the page that one then lands on. */
let ending: ApiProblem | null = null;
/** Whether whoever sat here left on purpose; the next one then does not land on their page. */
let left = false;
const listeners = new Set<Listener>();
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("etp-session");

function set(next: Tokens | null): void {
  clearTimeout(timer);
  note(next !== null);
  token = next?.access_token ?? null;
  if (next !== null) {
    ending = null;
    left = false;
  }
  state = next === null ? "out" : "in";
  if (next !== null) {
    const waitS = Math.max(5, Math.min(next.expires_in - MARGIN_S, next.expires_in / 2 + MARGIN_S));
    timer = setTimeout(() => void renew(), waitS * 1000);
  }
  listeners.forEach((listener) => listener());
}

/** Whether this browser may hold a refresh cookie; it cannot be read, so only the fact is noted. */
function mayResume(): boolean {
  try {
    return localStorage.getItem(NOTE) !== null;
  } catch {
    return true;
  }
}

function note(resumable: boolean): void {
  try {
    if (resumable) localStorage.setItem(NOTE, "1");
    else localStorage.removeItem(NOTE);
  } catch {
    // Without storage each start tries the cookie, which costs one refused request.
  }
}

async function post(path: string, body: object, bearer: string | null = null): Promise<Response> {
  try {
    return await fetch(`/api/v1/auth/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(bearer === null ? {} : { Authorization: `Bearer ${bearer}` }) },
      credentials: "same-origin",
      body: JSON.stringify(body),
    });
  } catch {
    throw unreachable();
  }
}

async function begin(path: string, body: object): Promise<void> {
  const answer = await post(path, { ...body, client: "browser" });
  const said: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw problemOf(said, answer);
  set(said as Tokens);
}

/** Tabs share one cookie that rotates with each use: only one of them may use it at a time. */
async function serialised<T>(work: () => Promise<T>): Promise<T> {
  // Absent outside a secure context, where one tab at a time must do.
  const locks = (navigator as Partial<Navigator>).locks;
  return locks === undefined ? work() : locks.request(LOCK, work);
}

export const session = {
  token: (): string | null => token,
  state: (): SessionState => state,

  on: (listener: Listener): Listener => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  /** What the hub said when it ended the last session itself; null after a log-out or a login. */
  ending: (): ApiProblem | null => ending,

  /** Whether the last session was ended by a log-out, in this tab or another. */
  left: (): boolean => left,

  login: (credentials: Credentials): Promise<void> => begin("login", credentials),

  /** Open an account by invite, and be logged in. */
  register: (registration: Registration): Promise<void> => begin("register", registration),

  /** End this session, or all of this user's. */
  async logout(everywhere = false): Promise<void> {
    const last = token;
    left = true;
    set(null);
    tabs?.postMessage("out");
    await post(everywhere ? "logout?everywhere=true" : "logout", {}, last).catch(() => undefined);
  },
};

/** Trade the cookie for a new access token; null when one must log in. Callers at the same time share one answer. */
export function renew(): Promise<string | null> {
  if (token === null && !mayResume()) {
    set(null);
    return Promise.resolve(null);
  }
  refreshing ??= serialised(async () => {
    try {
      const answer = await post("refresh", {});
      if (answer.ok) set((await answer.json()) as Tokens);
      else if (answer.status < 500 && answer.status !== 429) {
        const problem = problemOf(await answer.json().catch(() => null), answer);
        ending = problem.code === "refresh-refused" ? problem : null;
        set(null);
      } else retryLater();
    } catch {
      retryLater();
    }
    return token;
  }).finally(() => (refreshing = null));
  return refreshing;
}

function retryLater(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void renew(), RETRY_MS);
}

tabs?.addEventListener("message", () => {
  if (state !== "in") return;
  left = true;
  set(null);
});
