/** Remembers the project last worked in, where the browser allows it. */

import type { Membership } from "@/api/model";

const KEY = "etp-project";

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The one last worked in, where one still is a member, or the first. */
export function lastProject(projects: readonly Membership[]): Membership | undefined {
  const id = remembered();
  return projects.find((each) => each.id === id) ?? projects[0];
}

export function rememberProject(id: string): void {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // Without storage the first project comes up; nothing else is lost.
  }
}
