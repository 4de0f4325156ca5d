"""A device as a broker must know it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class Account:
    """A sensor or an edge agent with the hashes of its token and, until `old_until`, of the one before.

    The token is good until `expires_at`, None: until it is rotated.

    `agent_id` is the agent that a sensor is assigned to; a `default` agent takes those of its project that have none.
    """

    kind: Literal["sensor", "agent"]
    id: UUID
    project_id: UUID
    agent_id: UUID | None = None
    default: bool = False
    hash: str | None = None
    old_hash: str | None = None
    old_until: datetime | None = None
    expires_at: datetime | None = None

    def ended(self, now: datetime) -> bool:
        """Tell whether the token is good no more."""
        return self.expires_at is not None and self.expires_at <= now

    def overlaps(self, now: datetime) -> bool:
        """Tell whether two tokens are good now."""
        return self.old_hash is not None and self.old_until is not None and now < self.old_until
