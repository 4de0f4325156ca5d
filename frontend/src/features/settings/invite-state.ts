/** Whether an invite can still be used, and if not, why. */

import type { Invite } from "@/api/model";
import { seconds } from "@/ui/format";

export type InviteState = "open" | "revoked" | "usedUp" | "expired";

export function inviteState(invite: Pick<Invite, "revoked_at" | "uses" | "max_uses" | "expires_at">, nowS: number): InviteState {
  if (invite.revoked_at !== null) return "revoked";
  if (invite.uses >= invite.max_uses) return "usedUp";
  return seconds(invite.expires_at) <= nowS ? "expired" : "open";
}
