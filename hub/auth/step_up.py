"""Access with a one-time code: whoever is admitted by another rule shows `X-OTP` as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.auth import otp, queries
from hub.auth.otp import HEADER
from hub.auth.problems import MfaRequired, OtpRefused, TooManyAttempts
from hub.kit.context import Context
from hub.kit.endpoint import Access
from hub.kit.problems import Problem
from hub.ledger.service import Fact, record_apart


@dataclass(frozen=True)
class WithOtp(Access):
    """Admits whom `rule_before` admits, once they show a code of their authenticator or a recovery code."""

    before: Access

    @property
    def scheme(self) -> str | None:
        """Return the scheme of the rule before."""
        return self.before.scheme

    @property
    def rule(self) -> str:
        """Return who is admitted."""
        return f"{self.before.rule}, with {HEADER}"

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """Return what the rule may answer."""
        return (*self.before.problems, MfaRequired, TooManyAttempts)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the header that carries the code."""
        return {HEADER: "Six digits of the authenticator, or a recovery code."}

    async def admit(self, ctx: Context) -> None:
        """Ask the rule before, then use the code up, whatever becomes of the request; raises MfaRequired."""
        await self.before.admit(ctx)
        try:
            async with ctx.hub.db.transaction() as tx:
                user = await queries.user_by_id(tx, ctx.caller.id)
                if user is None or not user["has_otp"]:
                    raise MfaRequired(why="Set up a second factor for your account first, then send its code as X-OTP.")
                await otp.check(ctx, tx, user["id"], otp.shown(ctx, None))
        except OtpRefused as refused:
            await record_apart(ctx, Fact("mfa.code_refused", subject_id=ctx.caller.id))
            raise MfaRequired(why=OtpRefused.detail) from refused
