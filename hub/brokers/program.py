"""`etp broker accounts`: keeps the accounts of a Mosquitto, as a program beside it or as a worker of the hub."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

from contract import logs
from hub.brokers import notices
from hub.brokers.keeper import Keeper
from hub.kit.clock import Clock, SystemClock
from hub.kit.db import APPLICATION_ROLE, Database
from hub.kit.key_service import key_service_of
from hub.kit.vault import Vault
from hub.settings import Settings


def keeper_of(settings: Settings, folder: Path, db: Database, vault: Vault, clock: Clock) -> Keeper:
    """Make the keeper of the Mosquitto that works in a folder."""
    return Keeper(
        db,
        vault,
        clock,
        folder=folder / "accounts",
        pid_file=settings.mosquitto_pid_file or folder / "data" / "mosquitto.pid",
        instances=settings.mosquitto_instances,
        poll_s=settings.registry_poll_s,
    )


def run(settings: Settings, folder: Path, *, once: bool) -> None:
    """Write the accounts once, or keep them until SIGTERM or SIGINT."""
    logs.configure()
    asyncio.run(_once(settings, folder) if once else _until_stopped(settings, folder))


async def _once(settings: Settings, folder: Path) -> None:
    async with _keeper(settings, folder) as keeper:
        await keeper.refresh()


async def _until_stopped(settings: Settings, folder: Path) -> None:
    task = asyncio.ensure_future(_keep(settings, folder))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _keep(settings: Settings, folder: Path) -> None:
    async with _keeper(settings, folder) as keeper, asyncio.TaskGroup() as tasks:
        tasks.create_task(keeper.run())
        tasks.create_task(notices.listen(keeper.password, settings.broker_url, keeper.heard))


@contextlib.asynccontextmanager
async def _keeper(settings: Settings, folder: Path) -> AsyncGenerator[Keeper]:
    db = Database(settings.database_url, max_size=2, role=APPLICATION_ROLE)
    try:
        yield keeper_of(settings, folder, db, Vault(db, key_service_of(settings)), SystemClock())
    finally:
        await db.close()
