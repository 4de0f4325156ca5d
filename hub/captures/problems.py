"""What can go wrong with captures."""

from hub.kit.problems import Problem


class NothingToRecord(Problem):
    """No sensor of the run is recorded."""

    status = 409
    detail = "Bind a sensor in mode record to run {number} first: PUT /api/v1/runs/{run_id}/sensors."


class CaptureNotDraft(Problem):
    """The capture was started before."""

    status = 409
    detail = "Capture {ordinal} is {current}; only a draft can be started. Start another capture of the run."
    rules = frozenset({"capture_status", "capture_frozen"})


class CaptureNotRunning(Problem):
    """The capture is not running."""

    status = 409
    detail = "Capture {ordinal} is {current}; there is nothing to stop."
    rules = frozenset({"capture_status", "capture_range"})


class CaptureKept(Problem):
    """This capture is kept."""

    status = 409
    detail = "Capture {ordinal} is {current}; only drafts and failed captures can be deleted. It can be archived."
    rules = frozenset({"capture_kept"})


class CaptureNotOver(Problem):
    """The capture is not over."""

    status = 409
    detail = "Capture {ordinal} is {current}; it can be archived once it is finished."


class PreRollTooLong(Problem):
    """The pre-roll reaches back further than samples are kept."""

    status = 422
    detail = "Samples that are in no capture are kept for {days} days. Ask for a shorter pre_roll_s."
