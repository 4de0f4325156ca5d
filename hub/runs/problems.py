"""What can go wrong with runs."""

from hub.kit.problems import Problem


class RunMoveRefused(Problem):
    """A run in this state cannot become that."""

    status = 409
    detail = "Run {number} is {current}; from there it cannot become {target}."
    rules = frozenset({"run_status"})


class RunNotRunning(Problem):
    """The run is not running."""

    status = 409
    detail = "Run {number} is {current}. Captures start only while their run is running."
    rules = frozenset({"capture_run"})


class RunOver(Problem):
    """The run is over."""

    status = 409
    detail = "Run {number} is {current}; what took part in it stays as it was. Create another run."


class RunRecording(Problem):
    """The run is recording."""

    status = 409
    detail = "Run {number} cannot end while it records: {holders}. Stop that first."
    rules = frozenset({"run_recording"})
