"""The MQTT topics that sensors, edge agents and the broker agree on."""

from typing import Final, Literal, NamedTuple
from uuid import UUID

ROOT: Final = "etp/v1"
TELEMETRY_FILTER: Final = f"{ROOT}/telemetry/+"
HEARTBEAT_FILTER: Final = f"{ROOT}/heartbeat/+"
STATUS_FILTER: Final = f"{ROOT}/edge/+/status"

Kind = Literal["telemetry", "heartbeat", "status"]


class Topic(NamedTuple):
    """What a topic is for and whose it is: a sensor's id, or for `status` an edge agent's."""

    kind: Kind
    id: UUID


def telemetry(sensor_id: UUID) -> str:
    """Name the topic a sensor publishes its samples on."""
    return f"{ROOT}/telemetry/{sensor_id}"


def heartbeat(sensor_id: UUID) -> str:
    """Name the topic a sensor publishes signs of life on."""
    return f"{ROOT}/heartbeat/{sensor_id}"


def status(agent_id: UUID, instance: int = 0) -> str:
    """Name the topic an edge agent keeps its retained status on; instances that share its load have one each."""
    return f"{ROOT}/edge/{agent_id}/status" + (f"/{instance}" if instance else "")


def login(agent_id: UUID, instance: int = 0) -> str:
    """Name an edge agent's user on the broker; instances that share its load have one each, under the same token."""
    return f"{agent_id}-{instance}" if instance else str(agent_id)


def parse_login(user: str) -> tuple[UUID, int] | None:
    """Read a user's name back as id and instance; None when it is none of this contract."""
    text, number = (user[:36], user[37:]) if user[36:37] == "-" else (user, "0")
    try:
        identity, instance = UUID(text), int(number)
    except ValueError:
        return None
    return (identity, instance) if login(identity, instance) == user else None


def shared(agent_id: UUID, topic_filter: str) -> str:
    """Name the filter by which the instances of an agent share a topic's messages, each going to one of them."""
    return f"$share/{agent_id}/{topic_filter}"


def parse(topic: str) -> Topic | None:
    """Read a topic back; None when it is no topic of this contract (ids only in their canonical lower-case form)."""
    match topic.split("/"):
        case ["etp", "v1", "telemetry", text]:
            kind = "telemetry"
        case ["etp", "v1", "heartbeat", text]:
            kind = "heartbeat"
        case ["etp", "v1", "edge", text, "status"]:
            kind = "status"
        case _:
            return None
    try:
        identity = UUID(text)
    except ValueError:
        return None
    # A second spelling of one id would pass as a second sensor wherever topics are compared as text.
    return Topic(kind, identity) if str(identity) == text else None
