"""What can go wrong with projects."""

from hub.kit.problems import Problem


class RoleTooLow(Problem):
    """Your role does not allow this."""

    status = 403
    detail = "This takes the role {needed}; yours is {role}. Ask an owner of the project."


class RawNotAllowed(Problem):
    """Raw values are not open to viewers in this project."""

    status = 403
    detail = "Ask for values=physical, or ask an owner to open raw values to viewers."
