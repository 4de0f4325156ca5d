"""What can go wrong with credentials."""

from hub.kit.problems import Problem


class LoginFailed(Problem):
    """E-mail or password is wrong."""

    status = 401
    detail = "Check both and try again."


class RefreshRefused(Problem):
    """The session has ended."""

    status = 401
    detail = "Log in again. {why}"
