"""What a sensor and an edge agent may do on a broker, whoever keeps their accounts."""

from collections.abc import AsyncIterator, Callable, Collection
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from contract import topics


class LoginRefused(Exception):
    """The user name is unknown or the password is not its token."""


class AccountsUnavailable(Exception):
    """Nobody can say now whether the password is right."""


class Account(msgspec.Struct, frozen=True):
    """A sensor or an edge agent as the hub knows it.

    `agent_id` is the agent that a sensor is assigned to; a `default` agent also takes sensors assigned to nobody.
    """

    kind: Literal["sensor", "agent"]
    id: UUID
    project_id: UUID
    agent_id: UUID | None = None
    default: bool = False


class Accounts(Protocol):
    """Where a broker's accounts come from."""

    async def login(self, username: str, password: str) -> Account:
        """Return the account; raises `LoginRefused` or, when nothing can be known, `AccountsUnavailable`."""
        ...

    def find(self, account_id: UUID) -> Account | None:
        """Return the account as last heard of, None when it has not logged in for long."""
        ...

    def watch(self, in_use: Callable[[], Collection[UUID]]) -> AsyncIterator[UUID]:
        """Ask about the accounts in use again and again; yield each whose password is no longer right."""
        ...


def may_publish(account: Account, topic: str) -> bool:
    """Tell whether a topic is one of the account's own."""
    match topics.parse(topic):
        case topics.Topic("telemetry" | "heartbeat", owner):
            return account.kind == "sensor" and owner == account.id
        case topics.Topic(_, owner):
            return account.kind == "agent" and owner == account.id
        case None:
            return False


def may_leave(account: Account, topic: str) -> bool:
    """Tell whether a last will may be left on a topic: agents have a status to take back, sensors have none."""
    return account.kind == "agent" and may_publish(account, topic)


def may_subscribe(account: Account, topic_filter: str) -> bool:
    """Tell whether a filter may be subscribed to; which messages then come is asked for each of them."""
    return account.kind == "agent" and topic_filter in {topics.TELEMETRY_FILTER, topics.HEARTBEAT_FILTER}


def may_receive(agent: Account, sensor: Account) -> bool:
    """Tell whether an agent may be given a sensor's messages."""
    if agent.kind != "agent" or sensor.kind != "sensor" or agent.project_id != sensor.project_id:
        return False
    return agent.default if sensor.agent_id is None else sensor.agent_id == agent.id
