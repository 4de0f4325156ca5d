/** What every page stands in: look, server state, addresses. */

import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { RouterProvider } from "react-router";

import { ApiProblem } from "@/api/problem";
import { Toasts } from "@/ui/toasts";

import { styleNonce } from "./nonce";
import { router } from "./router";
import { forgetAtTheEnd } from "./session-end";
import { theme } from "./theme/theme";

const RETRIES = 2;

/** Refusals that may mean that one's role has changed since it was read. */
const OF_ROLES = new Set(["role-too-low", "raw-not-allowed", "not-found"]);

function lookAgain(error: Error): void {
  if (error instanceof ApiProblem && OF_ROLES.has(error.code)) void queries.invalidateQueries({ queryKey: ["me"] });
}

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: lookAgain }),
  mutationCache: new MutationCache({ onError: lookAgain }),
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      // What the hub refused once it refuses again; only silence and overload are worth another try.
      retry: (failures, error) => failures < RETRIES && (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
      refetchOnWindowFocus: true,
    },
  },
});

forgetAtTheEnd(queries);

export function Providers(): ReactElement {
  return (
    // Colours and sizes come from our style sheets; what is injected still shows the page's nonce, or policy refuses it.
    <MantineProvider theme={theme} getStyleNonce={styleNonce} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  );
}
