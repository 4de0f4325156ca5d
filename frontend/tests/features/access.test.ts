import { describe, expect, it } from "vitest";

import { inside, inviteCode } from "@/features/auth/next";
import { inviteState } from "@/features/settings/invite-state";

describe("where a login leads", () => {
  it("back to a page of this site", () => {
    expect(inside("/p/1/settings?tab=members")).toBe("/p/1/settings?tab=members");
  });

  it.each([null, undefined, "", "/", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])("never elsewhere: %s", (next) => {
    expect(inside(next)).toBe("/");
  });
});

describe("an invite", () => {
  it("is pasted as a code or as the link that holds it", () => {
    expect(inviteCode("  etpi_abc \n")).toBe("etpi_abc");
    expect(inviteCode("https://lab.example/register#etpi_abc")).toBe("etpi_abc");
  });

  const made = { revoked_at: null, uses: 0, max_uses: 2, expires_at: "2026-11-30T12:00:00Z" };
  const nowS = Date.parse("2026-11-30T11:59:59Z") / 1000;
  it("is open until it is used up, revoked or over", () => {
    expect(inviteState(made, nowS)).toBe("open");
    expect(inviteState({ ...made, uses: 2 }, nowS)).toBe("usedUp");
    expect(inviteState({ ...made, revoked_at: "2026-11-30T11:00:00Z", uses: 2 }, nowS)).toBe("revoked");
    expect(inviteState(made, nowS + 1)).toBe("expired");
  });
});
