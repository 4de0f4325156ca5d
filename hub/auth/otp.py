"""The second factor: time-based one-time codes, recovery codes, and setting both up."""

import secrets
from typing import Final
from uuid import UUID

import asyncpg
import segno
from pyotp import random_base32
from pyotp.totp import TOTP

from hub.auth import otp_queries, queries, sessions, throttle
from hub.auth.letters import MFA_CHANGED, write_to
from hub.auth.models import BothProofs, Enrollment, RecoveryCodes
from hub.auth.passwords import prove_password
from hub.auth.problems import MfaActive, MfaNotActive, MfaRequired, OtpRefused
from hub.kit.context import Context
from hub.kit.db import Tx
from hub.ledger.service import Fact, record

HEADER: Final = "X-OTP"
ISSUER: Final = "ETP"
STEP_S: Final = 30
DRIFT_STEPS: Final = (0, -1, 1)
RECOVERY_CODES: Final = 10
# Without I, L, O, U, 0 and 1, which are mistaken for each other when they are copied by hand.
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


async def enroll(ctx: Context, password: str) -> Enrollment:
    """Make a secret for the caller's authenticator; raises PasswordWrong, TooManyAttempts, MfaActive."""
    user = await prove_password(ctx, password)
    if user["has_otp"]:
        raise MfaActive
    secret = random_base32()
    sealed = await ctx.hub.vault.seal(secret.encode(), _about(user["id"]))
    await otp_queries.put_secret(ctx.tx, user["id"], sealed)
    await record(ctx, Fact("mfa.enrolled", subject_id=user["id"]))
    uri = TOTP(secret).provisioning_uri(name=user["email"], issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=3, light="#fff", dark="#000")
    return Enrollment(secret=secret, uri=uri, qr=picture)


async def confirm(ctx: Context, code: str) -> RecoveryCodes:
    """Set up the second factor with the first code of the authenticator; raises OtpRefused, MfaActive, MfaNotActive."""
    user = await queries.user_by_id(ctx.tx, ctx.caller.id)
    if user is None:
        raise MfaNotActive
    if user["has_otp"]:
        raise MfaActive
    await throttle.of_codes(ctx, user["id"])
    if not await otp_queries.secret(ctx.tx, user["id"]):
        raise MfaNotActive
    if not await _matches_authenticator(ctx, ctx.tx, user["id"], code):
        raise OtpRefused
    await throttle.code_was_good(ctx, user["id"])
    await otp_queries.activate(ctx.tx, user["id"])
    codes = await _new_recovery_codes(ctx, user["id"])
    await sessions.end_all(ctx, user["id"], "mfa", but=ctx.caller.credential_id)
    await record(ctx, Fact("mfa.enabled", subject_id=user["id"]))
    await write_to(ctx, user, MFA_CHANGED, what="set up")
    return codes


async def disable(ctx: Context, proofs: BothProofs) -> None:
    """Take the second factor away; the caller's other sessions end. Raises PasswordWrong, OtpRefused, MfaNotActive."""
    user = await _prove_both(ctx, proofs)
    await otp_queries.clear(ctx.tx, user["id"])
    await otp_queries.delete_recovery_codes(ctx.tx, user["id"])
    await sessions.end_all(ctx, user["id"], "mfa", but=ctx.caller.credential_id)
    await record(ctx, Fact("mfa.disabled", subject_id=user["id"]))
    await write_to(ctx, user, MFA_CHANGED, what="taken away")


async def renew_recovery_codes(ctx: Context, proofs: BothProofs) -> RecoveryCodes:
    """Replace the caller's recovery codes; raises PasswordWrong, MfaRequired, OtpRefused, MfaNotActive."""
    user = await _prove_both(ctx, proofs)
    codes = await _new_recovery_codes(ctx, user["id"])
    await record(ctx, Fact("mfa.recovery_codes_renewed", subject_id=user["id"]))
    return codes


async def _prove_both(ctx: Context, proofs: BothProofs) -> asyncpg.Record:
    user = await prove_password(ctx, proofs.password)
    if not user["has_otp"]:
        raise MfaNotActive
    await check(ctx, ctx.tx, user["id"], shown(ctx, proofs.otp))
    return user


async def clear(tx: Tx, user_id: UUID) -> None:
    """Forget a user's second factor; for the operator, who has made sure that it is the user who asks."""
    await otp_queries.clear(tx, user_id)
    await otp_queries.delete_recovery_codes(tx, user_id)


async def check(ctx: Context, tx: Tx, user_id: UUID, code: str) -> None:
    """Use a code of the authenticator or a recovery code up; raises OtpRefused, TooManyAttempts."""
    await throttle.of_codes(ctx, user_id)
    if code.isascii() and code.isdigit() and len(code) == 6:
        right = await _matches_authenticator(ctx, tx, user_id, code)
    else:
        right = await otp_queries.use_recovery_code(tx, user_id, ctx.hub.keys.digest(_plain(code)))
    if not right:
        raise OtpRefused
    await throttle.code_was_good(ctx, user_id)


def shown(ctx: Context, in_body: str | None) -> str:
    """Return the one-time code of a request, from its header or its body; raises MfaRequired."""
    code = in_body or ctx.request.headers.get(HEADER, "").strip()
    if not code:
        raise MfaRequired(why=f"Send the six digits of your authenticator, or a recovery code, as {HEADER}.")
    return code


async def _matches_authenticator(ctx: Context, tx: Tx, user_id: UUID, code: str) -> bool:
    sealed = await otp_queries.secret(tx, user_id)
    if sealed is None or not code.isascii():
        return False
    totp = TOTP((await ctx.hub.vault.unseal(sealed, _about(user_id))).decode())
    now = ctx.hub.clock.now_us() // 1_000_000 // STEP_S
    for step in (now + drift for drift in DRIFT_STEPS):
        if secrets.compare_digest(totp.generate_otp(step), code):
            # Moved forward only: the same code, and every older one, is good for nothing from now on.
            return await otp_queries.advance(tx, user_id, step)
    return False


async def _new_recovery_codes(ctx: Context, user_id: UUID) -> RecoveryCodes:
    codes = ["-".join(_letters(7) for _ in range(4)) for _ in range(RECOVERY_CODES)]  # 137 bits each
    await otp_queries.delete_recovery_codes(ctx.tx, user_id)
    await otp_queries.insert_recovery_codes(ctx.tx, user_id, [ctx.hub.keys.digest(_plain(code)) for code in codes])
    return RecoveryCodes(recovery_codes=codes)


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _plain(code: str) -> str:
    return code.upper().replace("-", "").replace(" ", "")


def _about(user_id: UUID) -> bytes:
    return b"otp " + user_id.bytes
