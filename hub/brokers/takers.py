"""Which edge agents take the messages of their sensors: those with a session on the broker that may still read.

Mosquitto acknowledges what nobody takes and forgets it. It does so, too, when the session that should take a message
was begun with a token that is good no more. So a sensor is let in only while its agent takes its messages; until then
it keeps them.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from contract import topics
from hub.brokers.models import Account

# What stands for the hash of a session that the broker has restored: it equals none.
RESTARTED: Final = "restarted"


class Takers:
    """The sessions that wait for messages, each with the hash of the token it was begun with."""

    def __init__(self, sessions: Mapping[str, str] | None = None) -> None:
        self._sessions = dict(sessions or {})

    @classmethod
    def parse(cls, text: bytes) -> "Takers":
        """Read what `dump` wrote; of what cannot be read nothing is known."""
        try:
            return cls(msgspec.json.decode(text, type=dict[str, str]))
        except msgspec.DecodeError:
            return cls()

    def __contains__(self, login: str) -> bool:
        """Tell whether a login has a session."""
        return login in self._sessions

    def dump(self) -> str:
        """Write it down for the next run."""
        return msgspec.json.encode(self._sessions, order="sorted").decode()

    def came(self, login: str, password: str) -> bool:
        """Note a session that goes on when its connection ends; returns whether it is news."""
        news = self._sessions.get(login) != password
        self._sessions[login] = password
        return news

    def restarted(self) -> bool:
        """Note that no session takes anything before its client has come again; returns whether it is news."""
        news = any(held != RESTARTED for held in self._sessions.values())
        self._sessions = dict.fromkeys(self._sessions, RESTARTED)
        return news

    def gone(self, login: str) -> bool:
        """Note that a session is no more: it ended with its connection; returns whether it is news."""
        return self._sessions.pop(login, None) is not None

    def take(self, agent: Account, hashes: Mapping[str, str]) -> bool:
        """Tell whether an agent takes all that is meant for it, given the users' hashes as Mosquitto has them.

        Of several sessions that share, one with an outdated token would swallow its part.
        """
        mine = [login for login in self._sessions if _agent_of(login) == agent.id]
        return bool(mine) and all(self._sessions[login] == hashes.get(login) for login in mine)

    def outdated(self, hashes: Mapping[str, str]) -> list[str]:
        """List the sessions that would swallow what they are meant to take."""
        return sorted(login for login, password in self._sessions.items() if hashes.get(login) != password)

    def forget(self, agents: Iterable[UUID]) -> None:
        """Keep only sessions of these agents; those of others have no sensors."""
        known = set(agents)
        self._sessions = {login: held for login, held in self._sessions.items() if _agent_of(login) in known}


def _agent_of(login: str) -> UUID | None:
    parsed = topics.parse_login(login)
    return None if parsed is None else parsed[0]
