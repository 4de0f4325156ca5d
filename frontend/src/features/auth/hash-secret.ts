/** A secret that a link carries after the #: no server sees it there, and the address shows it no longer than needed. */

import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";

interface Kept {
  readonly secret?: string;
}

/** The secret, or "" where there is none; it outlives a reload in the history entry. */
export function useHashSecret(): string {
  const { hash, state } = useLocation() as { readonly hash: string; readonly state: Kept | null };
  const navigate = useNavigate();
  const found = hash.slice(1);
  useEffect(() => {
    if (found !== "") void navigate({ hash: "" }, { replace: true, state: { secret: found } satisfies Kept });
  }, [found, navigate]);
  return found === "" ? (state?.secret ?? "") : found;
}
