"""What can go wrong with sealing."""

from hub.kit.problems import Problem


class CaptureNotFinished(Problem):
    """The capture is not finished."""

    status = 409
    detail = "Capture {ordinal} is {current}; a capture is sealed once it is finished. Stop it first."


class NothingToSeal(Problem):
    """The capture is sealed, and nothing came since."""

    status = 409
    detail = "Capture {ordinal} holds every sample that is known. Its manifest is at /captures/{capture_id}/manifest."


class CaptureNotSealed(Problem):
    """The capture is not sealed."""

    status = 409
    detail = "Capture {ordinal} is {current}; it has a manifest once it is sealed."
