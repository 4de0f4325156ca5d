"""The worker that sends letters."""

import asyncio
from typing import Final

import structlog

from hub.auth import letter_queries
from hub.kit.context import Hub
from hub.kit.mail import Letter, Mail, MailFailed
from hub.kit.vault import SealBroken

log = structlog.get_logger(__name__)

PAUSE_S: Final = 1.0
MOST_ATTEMPTS: Final = 12
MAX_DELAY_S: Final = 3600.0


async def run(hub: Hub, mail: Mail) -> None:
    """Send what is due until cancelled."""
    while True:
        while await send_next(hub, mail):
            pass
        await asyncio.sleep(PAUSE_S)


async def send_next(hub: Hub, mail: Mail) -> bool:
    """Send one letter, or postpone it when the server does not take it; tells whether there was one.

    A crash between sending and committing sends it once more: better twice than never.
    """
    async with hub.db.transaction() as tx:
        row = await letter_queries.lock_next(tx)
        if row is None:
            return False
        try:
            await mail.send(Letter.decode(await hub.vault.unseal(row["sealed"], b"letter")))
        except (MailFailed, SealBroken, ValueError) as error:
            attempts = row["attempts"] + 1
            if attempts >= MOST_ATTEMPTS:
                log.warning("a letter was given up", letter=row["id"], attempts=attempts, why=str(error))
                await letter_queries.delete(tx, row["id"])
            else:
                log.warning("a letter waits", letter=row["id"], attempts=attempts, why=str(error))
                await letter_queries.postpone(tx, row["id"], min(2.0**attempts, MAX_DELAY_S))
        else:
            await letter_queries.delete(tx, row["id"])
        return True
