// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

function hub(answer: (path: string, call: number) => Response): string[] {
  const calls: string[] = [];
  vi.stubGlobal("fetch", (asked: string | Request) => {
    const path = new URL(typeof asked === "string" ? asked : asked.url, "http://localhost").pathname;
    calls.push(path);
    return Promise.resolve(answer(path, calls.length));
  });
  return calls;
}

const tokens = (): Response => Response.json({ access_token: "fresh", expires_in: 900 });
const problem = (status: number, code: string): Response =>
  Response.json({ type: `https://etp.example/problems/${code}`, title: code, status, detail: "" }, { status });

beforeEach(() => {
  vi.resetModules();
  localStorage.setItem("etp-session", "1");
});
afterEach(() => vi.unstubAllGlobals());

it("renews the token once when it was refused, and asks again", async () => {
  const calls = hub((path, call) => (path.endsWith("/refresh") ? tokens() : call === 1 ? problem(401, "unauthenticated") : Response.json({ name: "Ben" })));
  const { api, body } = await import("@/api/client");
  expect(await body(api.GET("/api/v1/auth/me"))).toEqual({ name: "Ben" });
  expect(calls).toEqual(["/api/v1/auth/me", "/api/v1/auth/refresh", "/api/v1/auth/me"]);
});

it("takes a 403 as it is: a fresh token would not allow more", async () => {
  const calls = hub(() => problem(403, "role-too-low"));
  const { api, body } = await import("@/api/client");
  await expect(body(api.GET("/api/v1/auth/me"))).rejects.toMatchObject({ code: "role-too-low", status: 403 });
  expect(calls).toEqual(["/api/v1/auth/me"]);
});
