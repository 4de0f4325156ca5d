// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

const NOTE = "etp-session";

function answers(...responses: (() => Response)[]): { calls: string[] } {
  const calls: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    calls.push(url);
    const next = responses.shift();
    return next === undefined ? Promise.reject(new TypeError("no network")) : Promise.resolve(next());
  });
  return { calls };
}

const tokens = (name: string) => () => Response.json({ access_token: name, expires_in: 900 });
const REUSED = "Log in again. A refresh token was used twice, so the session was ended for safety.";
const refused = () =>
  Response.json({ type: "https://etp.example/problems/refresh-refused", title: "The session has ended", status: 401, detail: REUSED }, { status: 401 });

beforeEach(() => {
  vi.resetModules();
  localStorage.clear();
});
afterEach(() => vi.unstubAllGlobals());

it("asks for no token where nobody ever logged in", async () => {
  const { calls } = answers();
  const { renew, session } = await import("@/api/session");
  expect(await renew()).toBeNull();
  expect(session.state()).toBe("out");
  expect(calls).toEqual([]);
});

it("shares one refresh among those who ask at once, and keeps the token out of storage", async () => {
  localStorage.setItem(NOTE, "1");
  const { calls } = answers(tokens("first"));
  const { renew, session } = await import("@/api/session");
  expect(await Promise.all([renew(), renew(), renew()])).toEqual(["first", "first", "first"]);
  expect(calls).toEqual(["/api/v1/auth/refresh"]);
  expect(session.state()).toBe("in");
  expect(Object.keys(localStorage).map((key) => localStorage.getItem(key))).toEqual(["1"]);
});

it("leaves when the cookie is refused, and stays when the hub is only away", async () => {
  localStorage.setItem(NOTE, "1");
  answers(tokens("first"), () => new Response(null, { status: 503 }), refused);
  const { renew, session } = await import("@/api/session");
  await renew();
  expect(await renew(), "the old token may still serve").toBe("first");
  expect(session.state()).toBe("in");
  expect(await renew()).toBeNull();
  expect(session.state()).toBe("out");
  expect(localStorage.getItem(NOTE)).toBeNull();
});

it("keeps what the hub said when it ended the session, until the next login", async () => {
  localStorage.setItem(NOTE, "1");
  const { calls } = answers(refused, tokens("second"));
  const { renew, session } = await import("@/api/session");
  expect(session.ending()).toBeNull();
  await renew();
  expect(session.ending()?.detail).toBe(REUSED);
  await session.login({ email: "owner@example.com", password: "right", otp: "123456" });
  expect(session.ending()).toBeNull();
  expect(session.state()).toBe("in");
  expect(calls).toEqual(["/api/v1/auth/refresh", "/api/v1/auth/login"]);
});

it("says nothing of an end that one chose oneself", async () => {
  const { calls } = answers(tokens("first"), () => new Response(null, { status: 204 }));
  const { session } = await import("@/api/session");
  await session.login({ email: "owner@example.com", password: "right" });
  expect(session.left()).toBe(false);
  await session.logout(true);
  expect(session.state()).toBe("out");
  expect(session.left(), "the next person here is not led to the last one's page").toBe(true);
  expect(session.ending()).toBeNull();
  expect(calls.at(-1)).toBe("/api/v1/auth/logout?everywhere=true");
});

it("tells with a refusal until when another try is in vain", async () => {
  answers(() => Response.json({ title: "Too many attempts", status: 429 }, { status: 429, headers: { "Retry-After": "30" } }));
  const { session } = await import("@/api/session");
  const refusedAt = Date.now();
  const problem: unknown = await session.login({ email: "owner@example.com", password: "wrong" }).catch((error: unknown) => error);
  const { ApiProblem } = await import("@/api/problem");
  if (!(problem instanceof ApiProblem) || problem.retryAt === null) throw new Error("no time was told");
  expect(problem.retryAt - refusedAt).toBeGreaterThanOrEqual(30_000);
  expect(problem.retryAt - refusedAt).toBeLessThan(35_000);
});
