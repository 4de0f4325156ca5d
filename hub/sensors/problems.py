"""What can go wrong with sensors and edge agents."""

from hub.kit.problems import Problem


class SensorNameTaken(Problem):
    """Another sensor of the project has this name."""

    status = 409
    detail = "Choose another name than {name!r}."


class SensorTokenTaken(Problem):
    """This token is in use."""

    status = 409
    detail = "Send another token, or none: then the hub makes one."


class SensorHeld(Problem):
    """The sensor is still needed."""

    status = 409
    detail = "It is held by: {holders}. Release it there first."
    rules = frozenset({"sensor_held"})


class SensorGone(Problem):
    """The sensor was deleted."""

    status = 409
    detail = "Deleted meanwhile: {sensors}. Bind other sensors to the run."
    rules = frozenset({"sensor_gone"})


class EdgeAgentNameTaken(Problem):
    """Another edge agent of the project has this name."""

    status = 409
    detail = "Choose another name than {name!r}."


class DefaultEdgeAgentTaken(Problem):
    """The project has a default edge agent."""

    status = 409
    detail = "Set default to false on the other one first: unassigned sensors can have one agent only."


class NotYourSensor(Problem):
    """This token does not speak for that sensor."""

    status = 403
    detail = "A sensor's token speaks for itself, an edge agent's for the sensors assigned to it."


class WrongBrokerLogin(Problem):
    """User name or password is wrong."""

    status = 401
    detail = "The user name is the id of a sensor or edge agent, the password its token."
