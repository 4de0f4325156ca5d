"""Access to profiles by membership of their sensors' projects."""

from hub.conversion import queries
from hub.projects.access import Member
from hub.projects.models import Role


def of_sensor(least: Role) -> Member:
    """Admit members of the project of the sensor in the path."""
    return Member(least, "sensor", "sensor_id", queries.project_of_sensor)


def of_profile(least: Role) -> Member:
    """Admit members of the project of the profile in the path; those of deleted sensors stay readable."""
    return Member(least, "profile", "profile_id", queries.project_of_profile)
