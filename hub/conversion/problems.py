"""What can go wrong with profiles."""

from hub.kit.problems import Problem


class ProfilePublished(Problem):
    """This version was published and stays as it is."""

    status = 409
    detail = "Version {version} is {current}. Make a new draft of the sensor's profile instead."
    rules = frozenset({"profile_published", "profile_status"})


class PublicationPending(Problem):
    """Another version is published for this time."""

    status = 409
    detail = "Version {version} begins at {valid_from}. Withdraw it first, or publish once it applies."
    rules = frozenset({"profile_alone"})


class ProfileUnitsDiffer(Problem):
    """The sensor's units are not those that the profile was drafted for."""

    status = 409
    detail = "It was drafted from {drafted}, the sensor says {current}. Save the draft again once it fits."


class ProfileNotScheduled(Problem):
    """There is no publication to withdraw."""

    status = 409
    detail = "Version {version} {why}. Publish another version instead."
