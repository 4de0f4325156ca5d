/** What one user saw is gone when the session ends, whether the hub answers or not. */

import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";

import { session } from "@/api/session";
import { forgetAtTheEnd } from "@/app/session-end";

test("logging out empties the cache", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no network")));
  const queries = new QueryClient();
  forgetAtTheEnd(queries);
  queries.setQueryData(["me"], { name: "Ada" });
  await session.logout();
  expect(queries.getQueryCache().getAll()).toEqual([]);
});
