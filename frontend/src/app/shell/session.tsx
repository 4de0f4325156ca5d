/** Lets only those in who are logged in, after one silent try with the refresh cookie. */

import { useEffect, useSyncExternalStore, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useLocation } from "react-router";

import { renew, session } from "@/api/session";

export function Session(): ReactElement | null {
  const { t } = useTranslation();
  const state = useSyncExternalStore(session.on, session.state);
  const { pathname, search } = useLocation();
  useEffect(() => {
    if (state === "unknown") void renew();
  }, [state]);
  if (state === "unknown") return <div role="status" aria-label={t("list.loading")} />;
  if (state === "out") {
    const next = pathname === "/" || session.left() ? "" : `?next=${encodeURIComponent(pathname + search)}`;
    return <Navigate to={`/login${next}`} replace />;
  }
  return <Outlet />;
}
