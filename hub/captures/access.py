"""Access to captures by membership of their projects."""

from hub.captures import queries
from hub.projects.access import Member
from hub.projects.models import Role


def of_capture(least: Role) -> Member:
    """Admit members of the project of the capture in the path."""
    return Member(least, "capture", "capture_id", queries.project_of)
