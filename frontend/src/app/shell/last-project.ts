/** Remembers the project last worked in, where the browser allows it. */

const KEY = "etp-project";

export function lastProject(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function rememberProject(id: string): void {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // Without storage the first project comes up; nothing else is lost.
  }
}
