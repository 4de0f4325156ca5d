/** Notices that one may do more or less in the project than a moment ago, and says so. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Membership } from "@/api/model";
import type { TelemetryClient } from "@/telemetry/client";
import { toast } from "@/ui/toasts";

/** `project` is undefined once one is no member of the project that the address names, null while that is not known. */
export function useAccessWatch(client: TelemetryClient, project: Membership | undefined | null): void {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const before = useRef<Membership>(undefined);
  useEffect(() => {
    if (project === null) return;
    const was = before.current;
    before.current = project;
    if (was === undefined || was.role === project?.role) return;
    if (project === undefined) toast({ tone: "warn", title: t("access.gone", { project: was.name }) });
    else if (was.id === project.id) toast({ tone: "info", title: t("access.role", { role: t(`role.${project.role}`) }), detail: project.name });
    else return;
    // What was read with the old rights may show too much, or too little.
    void cache.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
  }, [project, cache, t]);
  useEffect(
    () =>
      client.onAccess(({ raw }) => {
        void cache.invalidateQueries();
        const open = Object.values(raw);
        if (open.length > 0) toast({ tone: "info", title: open.every(Boolean) ? t("access.rawOpen") : t("access.rawClosed") });
      }),
    [client, cache, t],
  );
}
