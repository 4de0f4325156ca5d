/** What one user saw is not kept for whoever comes next: in every tab, and whoever ended the session. */

import type { QueryClient } from "@tanstack/react-query";

import { session } from "@/api/session";

export function forgetAtTheEnd(queries: QueryClient): void {
  session.on(() => {
    if (session.state() !== "out") return;
    void queries.cancelQueries();
    queries.clear();
  });
}
