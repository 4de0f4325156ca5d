"""The plugin by which amqtt asks who may come in, publish, subscribe and receive."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BasePlugin, BaseTopicPlugin
from amqtt.session import Session

from broker.accounts import (
    Account,
    Accounts,
    AccountsUnavailable,
    LoginRefused,
    may_leave,
    may_publish,
    may_receive,
    may_subscribe,
)
from contract import topics

log: Final = structlog.get_logger(__name__)

ACCOUNT_ID: Final = "etp.account_id"  # the session attribute that says whose session it is


class Seldom:
    """Lets an event through once in `every_s` for each key, with the number of events since the last one told."""

    def __init__(self, every_s: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._told: dict[object, tuple[float, int]] = {}

    def __call__(self, key: object) -> int:
        """Count an event; return how many to tell of now, 0 for silence."""
        now = self._clock()
        told_at, untold = self._told.get(key, (float("-inf"), 0))
        if now - told_at < self._every_s:
            self._told[key] = (told_at, untold + 1)
            return 0
        if len(self._told) > 1000:
            self._told.clear()
        self._told[key] = (now, 0)
        return untold + 1


class Gate(BaseAuthPlugin, BaseTopicPlugin):
    """Checks logins against `Accounts` and topics against the rules; never raises: amqtt would then not answer."""

    @dataclass
    class Config(BasePlugin.Config):
        """What amqtt hands to the plugin."""

        accounts: object = None

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._accounts: Accounts = context.config.accounts  # pyright: ignore - amqtt puts a Config here
        self._seldom = Seldom()

    async def authenticate(self, *, session: Session) -> bool:
        """Tell whether a client may connect, and note on its session whose it is."""
        username, client_id = session.username or "", session.client_id or ""
        try:
            account = await self._accounts.login(username, session.password or "")
            _check_identity(account, session)
        except (LoginRefused, AccountsUnavailable) as error:
            if count := self._seldom((username, client_id)):
                log.warning("login refused", user=username, client=client_id, reason=str(error), times=count)
            return False
        session.attributes[ACCOUNT_ID] = account.id
        return True

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Tell whether a session may publish to a topic, subscribe to a filter, or be given a message."""
        if session is None or topic is None:
            return False
        account = self._account(session)
        match action:
            case Action.RECEIVE:
                return account is not None and self._may_receive(account, topic)
            case Action.PUBLISH:
                allowed = account is not None and may_publish(account, topic)
            case Action.SUBSCRIBE:
                allowed = account is not None and may_subscribe(account, topic)
            case None:
                allowed = False
        if not allowed and (count := self._seldom((session.client_id, topic, action))):
            log.warning("topic denied", client=session.client_id, topic=topic, action=action, times=count)
        return allowed

    def _account(self, session: Session) -> Account | None:
        account_id = session.attributes.get(ACCOUNT_ID)
        return self._accounts.find(account_id) if isinstance(account_id, UUID) else None

    def _may_receive(self, agent: Account, topic: str) -> bool:
        parsed = topics.parse(topic)
        if parsed is None or parsed.kind == "status":
            return False
        sensor = self._accounts.find(parsed.id)
        return sensor is not None and may_receive(agent, sensor)


def _check_identity(account: Account, session: Session) -> None:
    # Otherwise one account could take another's session over by naming its client id.
    if not (session.client_id or "").startswith(str(account.id)):
        raise LoginRefused("the client id does not begin with the user name")
    if session.will_flag and not may_leave(account, session.will_topic or ""):
        raise LoginRefused(f"the last will on {session.will_topic} is not its own to leave")
