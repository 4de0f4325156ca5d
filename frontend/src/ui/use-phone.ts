/** Whether the page is as narrow as a phone. */

import { useSyncExternalStore } from "react";

const query = typeof matchMedia === "undefined" ? null : matchMedia("(max-width: 700px)");

function subscribe(listener: () => void): () => void {
  query?.addEventListener("change", listener);
  return () => query?.removeEventListener("change", listener);
}

export const usePhone = (): boolean => useSyncExternalStore(subscribe, () => query?.matches ?? false);
