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
const refused = () => Response.json({ title: "The refresh token was refused.", status: 401 }, { status: 401 });

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
