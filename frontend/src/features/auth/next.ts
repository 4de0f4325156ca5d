/** Where a login leads: back to where one was sent from. */

/** A way on that holds a secret travels in the history entry, never in the address of the login. */
export interface SentFrom {
  readonly next?: string;
}

/** Only addresses of this site are followed. */
export const inside = (next: string | null | undefined): string => (typeof next === "string" && /^\/[^/\\]/.test(next) ? next : "/");

/** What somebody pasted as an invite: the code alone, or the link that holds it. */
export const inviteCode = (pasted: string): string => pasted.trim().split("#").at(-1) ?? "";
