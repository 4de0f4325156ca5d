"""What can go wrong with projects, their members and invites."""

from hub.kit.problems import Problem


class RoleTooLow(Problem):
    """Your role does not allow this."""

    status = 403
    detail = "This takes the role {needed}; yours is {role}. Ask an owner of the project."


class RawNotAllowed(Problem):
    """Raw values are not open to viewers in this project."""

    status = 403
    detail = "Ask for values=physical, or ask an owner to open raw values to viewers."


class LastOwner(Problem):
    """A project keeps an owner."""

    status = 409
    detail = "This is the last one: make somebody else an owner first, or delete the project."
    rules = frozenset({"project_keeps_an_owner"})


class ProjectBusy(Problem):
    """The project is still at work."""

    status = 409
    detail = "It is held by: {holders}. End that first."
    rules = frozenset({"project_is_idle"})


class ProjectGone(Problem):
    """The project was deleted."""

    status = 404
    detail = "Nothing can begin in it any more."
    rules = frozenset({"project_is_there"})


class InviteRefused(Problem):
    """This invite is not good."""

    status = 409
    detail = "{why} Ask whoever sent it for a new one."


class AlreadyMember(Problem):
    """You are a member of this project."""

    status = 409
    detail = "The invite was not used up. An owner can change your role."
