"""Access to experiments by membership of their projects."""

from hub.experiments import queries
from hub.projects.access import Member
from hub.projects.models import Role


def of_experiment(least: Role) -> Member:
    """Admit members of the project of the experiment in the path."""
    return Member(least, "experiment", "experiment_id", queries.project_of)
