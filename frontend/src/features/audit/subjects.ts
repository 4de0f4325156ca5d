/** What a fact is about, by the name it bears today or bore then. */

import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useAgents } from "@/api/agents";
import { useExperiments } from "@/api/experiments";
import { useProject } from "@/api/me";
import { useMembers } from "@/api/members";
import type { AuditFact } from "@/api/model";
import { useSensors } from "@/api/sensors";

import { nameThen } from "./changes";

/** A function from fact to name; null where nothing here knows one. */
export function useSubjects(facts: readonly AuditFact[]): (fact: AuditFact) => string | null {
  const { t } = useTranslation();
  const project = useProject();
  const sensors = useSensors(project.id, false).data;
  const agents = useAgents(project.id).data;
  const experiments = useExperiments(project.id).data;
  const members = useMembers(project.id).data;
  return useMemo(() => {
    const names = new Map<string, string>([[project.id, project.name]]);
    const captures = new Map<string, number>();
    // The trail itself knows how runs are called and captures are numbered: the facts of their creation say so.
    for (const { subject_id: id, details } of facts) {
      if (id === null) continue;
      const name = nameThen(details);
      if (name !== null && !names.has(id)) names.set(id, name);
      if (typeof details.ordinal_number === "number") captures.set(id, details.ordinal_number);
    }
    for (const each of [...(sensors ?? []), ...(agents ?? []), ...(experiments ?? [])]) names.set(each.id, each.name);
    for (const member of members ?? []) names.set(member.user_id, member.name);
    return ({ subject_id: id, details }) => {
      const known = id === null ? undefined : names.get(id);
      if (known !== undefined) return known;
      const number = id === null ? undefined : captures.get(id);
      const run = typeof details.run_id === "string" ? names.get(details.run_id) : undefined;
      return [number === undefined ? null : t("capture.numbered", { number }), run].filter(Boolean).join(" · ") || null;
    };
  }, [facts, project, sensors, agents, experiments, members, t]);
}
