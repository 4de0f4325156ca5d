"""Shapes of the auth API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, EmailStr, Field, StringConstraints

from hub.kit.wire import absent

MIN_PASSWORD, MAX_PASSWORD = 15, 1000


def _lower(value: str) -> str:
    return value.lower()


Email = Annotated[EmailStr, AfterValidator(_lower), Field(max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
NewPassword = Annotated[
    str,
    Field(
        min_length=MIN_PASSWORD,
        max_length=MAX_PASSWORD,
        description="Any characters; common and easily guessed ones are refused with 422.",
    ),
]
Otp = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=6, max_length=40),
    Field(description="Six digits of the authenticator, or one of the recovery codes."),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Client = Literal["browser"]
Scope = Literal["read", "write", "admin"]
RoleName = Literal["owner", "editor", "viewer"]
EndedBecause = Literal["logout", "everywhere", "reuse", "password", "mfa", "revoked", "operator", "disabled"]


class Login(BaseModel):
    """Credentials; `client: browser` gets the refresh token as a cookie that scripts cannot read."""

    email: Email
    password: Password
    otp: Otp | None = None
    client: Client | None = None


class Registration(BaseModel):
    """A new account, opened by an invite."""

    invite_code: str = Field(min_length=1, max_length=200)
    email: Email
    password: NewPassword
    name: Name
    client: Client | None = None


class Refresh(BaseModel):
    """The refresh token; a browser sends it as its cookie and leaves this empty."""

    refresh_token: str | None = Field(default=None, max_length=500)


class LogoutQuery(BaseModel):
    """Whether to end this session only, or all sessions of the user."""

    everywhere: bool = False


class Tokens(BaseModel):
    """A fresh pair of tokens; `expires_in` counts seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: int
    refresh_token: str | None


class Forgotten(BaseModel):
    """Whose password was forgotten; the link goes there by mail, if there is such an account."""

    email: Email


class PasswordReset(BaseModel):
    """The token of a one-time link and the new password."""

    token: str = Field(min_length=1, max_length=200)
    password: NewPassword


class PasswordChange(BaseModel):
    """The present password, a one-time code (or as X-OTP) where a second factor is set up, and the new password."""

    password: Password
    otp: Otp | None = None
    new_password: NewPassword


class PasswordProof(BaseModel):
    """The password once more, before something important changes."""

    password: Password


class OtpProof(BaseModel):
    """A one-time code."""

    otp: Otp


class BothProofs(BaseModel):
    """Password and one-time code once more (or the code as X-OTP), before the second factor changes."""

    password: Password
    otp: Otp | None = None


class Enrollment(BaseModel):
    """A new authenticator's secret, good once it is confirmed: as text, as otpauth: address, and that as a QR code."""

    secret: str
    uri: str
    qr: str = Field(description="An SVG picture as a data: address.")


class RecoveryCodes(BaseModel):
    """Each opens the account once in place of the authenticator; shown this once."""

    recovery_codes: list[str]


class Session(BaseModel):
    """A login that goes on, or one that ended within the last thirty days; `current` is the one that asks."""

    id: UUID
    client: Literal["browser", "script"]
    address: str | None
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_because: EndedBecause | None
    current: bool


class PersonalTokenCreate(BaseModel):
    """A new personal token for scripts and CI.

    `read` reads, `write` also does what an editor may, `admin` also what an owner may – never more than its user. With
    `project_id` it is good in that project only.
    """

    name: Name
    scope: Scope
    project_id: UUID | None = None
    expires_in_days: int = Field(default=90, ge=1, le=366)


class PersonalToken(BaseModel):
    """A personal token."""

    id: UUID
    name: str
    scope: Scope
    project_id: UUID | None
    project_name: str | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    token: str | None = Field(default=None, exclude_if=absent, description="Only in the answer to its creation.")


class Membership(BaseModel):
    """A project that the user is a member of."""

    id: UUID
    name: str
    role: RoleName


class Me(BaseModel):
    """Who is logged in."""

    id: UUID
    email: str
    name: str
    mfa: bool
    recovery_codes_left: int
    projects: list[Membership]
