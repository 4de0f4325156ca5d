"""What can go wrong with credentials."""

from hub.kit.problems import FieldError, InvalidPayload, Problem


class LoginFailed(Problem):
    """E-mail or password is wrong."""

    status = 401
    detail = "Check both and try again."


class PasswordWrong(Problem):
    """This is not your present password."""

    status = 403
    detail = "Check it and try again, or log out and ask for a new one."


class OtpRequired(Problem):
    """This account has a second factor."""

    status = 401
    detail = "Send the six digits of the authenticator, or a recovery code, as otp."


class OtpRefused(Problem):
    """The one-time code is not good."""

    status = 403
    detail = "A code is good for half a minute, and once: wait for the next one. Check the clock of the device."


class TooManyAttempts(Problem):
    """Too many attempts."""

    status = 429
    detail = "Wait {wait_s} seconds. Open sessions go on, and whoever sets a new password by mail can log in at once."

    def __init__(self, wait_s: int) -> None:
        """Say how long to wait."""
        super().__init__(wait_s=wait_s, headers={"Retry-After": str(wait_s)})


class RefreshRefused(Problem):
    """The session has ended."""

    status = 401
    detail = "Log in again. {why}"


class CrossSite(Problem):
    """This request came from another site."""

    status = 403
    detail = "The refresh cookie is only taken from the dashboard's own pages."


class SessionNeeded(Problem):
    """A personal token cannot do this."""

    status = 403
    detail = "Log in and do it there: accounts, sessions and tokens are not for tokens to change."


class TokenNotEnough(Problem):
    """This personal token does not reach so far."""

    status = 403
    detail = "This takes a token with the scope {needed}; this one has {scope}. Make another one for it."


class TokenOfOneProject(Problem):
    """This personal token is good in one project only."""

    status = 403
    detail = "Make a token that is bound to no project, or log in and do it there."


class MfaRequired(Problem):
    """This takes a one-time code."""

    status = 403
    detail = "{why}"


class MfaActive(Problem):
    """A second factor is set up already."""

    status = 409
    detail = "Disable it first, with a code of the old authenticator or a recovery code."


class MfaNotActive(Problem):
    """No second factor is set up."""

    status = 409
    detail = "Begin with POST /auth/mfa/enroll."


class EmailTaken(Problem):
    """This address has an account."""

    status = 409
    detail = "Log in with it and accept the invite there."


class ResetRefused(Problem):
    """This link is not good any more."""

    status = 409
    detail = "A link works once, for an hour. Ask for a new one."


def weak_password(field: str, why: str) -> InvalidPayload:
    """Make the problem of a password that is guessed too easily, standing in `field` of the body."""
    return InvalidPayload(errors=[FieldError(loc=["body", field], msg=why)])
