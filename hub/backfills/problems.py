"""What can go wrong with backfills."""

from hub.kit.problems import Problem


class CaptureNotConvertible(Problem):
    """Only what a capture holds for good can be converted anew."""

    status = 409
    detail = "Capture {ordinal} is {current}; it takes a finished or sealed one."


class ProfileNotPublished(Problem):
    """A draft applies to nothing."""

    status = 409
    detail = "Version {version} is a draft. Publish it first, or try it with dry_run."


class BackfillUnderway(Problem):
    """This version is being applied to this capture already."""

    status = 409
    detail = "Backfill {backfill_id} is {current} and makes revision {revision}. Wait for it, or cancel it."


class BackfillOver(Problem):
    """The backfill is over."""

    status = 409
    detail = "It is {current}; there is nothing to cancel."
    rules = frozenset({"backfill_status"})


class TooManyCaptures(Problem):
    """So many captures cannot be converted anew at once."""

    status = 422
    detail = "{captures} captures stopped within this time, at most {limit} are taken. Name fewer days."
