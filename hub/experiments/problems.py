"""What can go wrong with experiments."""

from hub.kit.problems import Problem


class ExperimentMoveRefused(Problem):
    """An experiment in this state cannot become that."""

    status = 409
    detail = "It is {current}; from there it cannot become {target}."
    rules = frozenset({"experiment_status"})


class ExperimentArchived(Problem):
    """The experiment is archived."""

    status = 409
    detail = "It is {current}, and what is archived stays as it is. Create another experiment."
    rules = frozenset({"experiment_archived"})


class ExperimentHeld(Problem):
    """The experiment is still in use."""

    status = 409
    detail = "It is held by: {holders}. See to them first."
    rules = frozenset({"experiment_held"})
