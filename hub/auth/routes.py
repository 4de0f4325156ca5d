"""Routes of accounts, sessions, passwords, the second factor and personal tokens."""

from uuid import UUID

from hub.auth import accounts, otp, personal_tokens, sessions
from hub.auth.access import PUBLIC, READER, SESSION
from hub.auth.models import (
    BothProofs,
    Enrollment,
    Forgotten,
    Login,
    LogoutQuery,
    Me,
    OtpProof,
    PasswordChange,
    PasswordProof,
    PasswordReset,
    PersonalToken,
    PersonalTokenCreate,
    RecoveryCodes,
    Refresh,
    Session,
    Tokens,
)
from hub.auth.problems import (
    CrossSite,
    LoginFailed,
    MfaActive,
    MfaNotActive,
    MfaRequired,
    OtpRefused,
    OtpRequired,
    PasswordWrong,
    RefreshRefused,
    ResetRefused,
    TooManyAttempts,
)
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.kit.problems import NotFound, Problem

routes = Routes("auth")


@routes.route(
    "POST",
    "/auth/login",
    access=PUBLIC,
    answer=Tokens,
    problems=[LoginFailed, OtpRequired, OtpRefused, CrossSite, TooManyAttempts],
)
async def log_in(ctx: Context, body: Login) -> Tokens | Problem:
    """Log in with e-mail, password and, where it is set up, a one-time code."""
    return await accounts.login(ctx, body)


@routes.route("POST", "/auth/refresh", access=PUBLIC, answer=Tokens, problems=[RefreshRefused, CrossSite])
async def refresh(ctx: Context, body: Refresh) -> Tokens | Problem:
    """Trade a refresh token for a new pair of tokens."""
    return await sessions.refresh(ctx, body)


@routes.route("POST", "/auth/logout", access=SESSION, status=204)
async def log_out(ctx: Context, query: LogoutQuery) -> None:
    """End this session, or all of them."""
    await sessions.log_out(ctx, everywhere=query.everywhere)


@routes.route("GET", "/auth/me", access=READER, answer=Me)
async def read_me(ctx: Context) -> Me:
    """Tell who is logged in, and in which projects."""
    return await accounts.me(ctx)


@routes.route("GET", "/auth/sessions", access=SESSION, answer=Page[Session])
async def list_sessions(ctx: Context) -> Page[Session]:
    """List one's sessions: those that go on, and those that ended within thirty days."""
    return await sessions.list_mine(ctx)


@routes.route("DELETE", "/auth/sessions/{session_id}", access=SESSION, status=204, problems=[NotFound])
async def end_session(ctx: Context, session_id: UUID) -> None:
    """End one of one's sessions."""
    await sessions.end_mine(ctx, session_id)


@routes.route("POST", "/auth/password/forgot", access=PUBLIC, status=202, problems=[TooManyAttempts])
async def forget_password(ctx: Context, body: Forgotten) -> None:
    """Ask for a one-time link by mail; the answer is the same whether there is such an account or not."""
    await accounts.forget_password(ctx, body.email)


@routes.route("POST", "/auth/password/reset", access=PUBLIC, status=204, problems=[ResetRefused, TooManyAttempts])
async def reset_password(ctx: Context, body: PasswordReset) -> None:
    """Set a new password with a one-time link; all sessions end."""
    await accounts.reset_password(ctx, body)


@routes.route(
    "POST",
    "/auth/password/change",
    access=SESSION,
    status=204,
    problems=[PasswordWrong, MfaRequired, OtpRefused, TooManyAttempts],
)
async def change_password(ctx: Context, body: PasswordChange) -> None:
    """Change one's password; one's other sessions end."""
    await accounts.change_password(ctx, body)


@routes.route(
    "POST",
    "/auth/mfa/enroll",
    access=SESSION,
    answer=Enrollment,
    problems=[PasswordWrong, MfaActive, TooManyAttempts],
)
async def enroll_mfa(ctx: Context, body: PasswordProof) -> Enrollment:
    """Begin to set up a second factor."""
    return await otp.enroll(ctx, body.password)


@routes.route(
    "POST",
    "/auth/mfa/confirm",
    access=SESSION,
    answer=RecoveryCodes,
    problems=[OtpRefused, MfaActive, MfaNotActive, TooManyAttempts],
)
async def confirm_mfa(ctx: Context, body: OtpProof) -> RecoveryCodes:
    """Set the second factor up with its first code; the answer holds the recovery codes, once."""
    return await otp.confirm(ctx, body.otp)


@routes.route(
    "POST",
    "/auth/mfa/disable",
    access=SESSION,
    status=204,
    problems=[PasswordWrong, MfaRequired, OtpRefused, MfaNotActive, TooManyAttempts],
)
async def disable_mfa(ctx: Context, body: BothProofs) -> None:
    """Take the second factor away."""
    await otp.disable(ctx, body)


@routes.route(
    "POST",
    "/auth/mfa/recovery-codes",
    access=SESSION,
    answer=RecoveryCodes,
    problems=[PasswordWrong, MfaRequired, OtpRefused, MfaNotActive, TooManyAttempts],
)
async def renew_recovery_codes(ctx: Context, body: BothProofs) -> RecoveryCodes:
    """Replace the recovery codes; the answer holds the new ones, once."""
    return await otp.renew_recovery_codes(ctx, body)


@routes.route("GET", "/auth/tokens", access=SESSION, answer=Page[PersonalToken])
async def list_personal_tokens(ctx: Context) -> Page[PersonalToken]:
    """List one's personal tokens."""
    return await personal_tokens.list_mine(ctx)


@routes.route("POST", "/auth/tokens", access=SESSION, answer=PersonalToken, status=201, problems=[NotFound])
async def create_personal_token(ctx: Context, body: PersonalTokenCreate) -> PersonalToken:
    """Make a personal token for scripts and CI; it is in this answer, once."""
    return await personal_tokens.create(ctx, body)


@routes.route("DELETE", "/auth/tokens/{token_id}", access=SESSION, status=204, problems=[NotFound])
async def revoke_personal_token(ctx: Context, token_id: UUID) -> None:
    """Revoke a personal token."""
    await personal_tokens.revoke(ctx, token_id)
