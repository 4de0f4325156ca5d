"""Rows as no statement may leave them: what older versions wrote, and what somebody with the server's rights forged."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.kit.db import Tx


@asynccontextmanager
async def past_rules(db: Tx) -> AsyncIterator[None]:
    """Change rows in a transaction in which no trigger fires; constraints still hold."""
    async with db.transaction():
        await db.execute("set local session_replication_role = replica")
        yield
