"""Valkey replaced by an empty one at the worst moments of the writer and of the watch over losses."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
import redis.asyncio

from dev.postgres import Postgres
from dev.valkey import Valkey
from hub.app import make_hub
from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.settings import Settings
from hub.telemetry import entries, losses, queries
from hub.telemetry.entries import Entry
from hub.telemetry.stream import Appender, Held, key_of
from hub.telemetry.writer import Writer
from tests.acceptance.system import eventually

pytestmark = pytest.mark.slow

T_US = 1_795_000_000_000_000


@pytest.fixture(params=["valkey", "redis"])
def stream_server(request: pytest.FixtureRequest) -> str:
    """Both kinds of servers."""
    return request.param


@pytest.fixture
async def hub(own_postgres: Postgres, own_valkey: Valkey, tmp_path: Path) -> AsyncIterator[Hub]:
    """The parts of a hub, nothing of which runs."""
    hub = make_hub(
        Settings(_env_file=None, database_url=own_postgres.url, redis_url=own_valkey.url, data_dir=tmp_path / "data")
    )
    yield hub
    await hub.stream.aclose()
    await hub.db.close()


@pytest.fixture
async def appender(hub: Hub) -> AsyncIterator[Appender]:
    """A running appender."""
    appender = Appender(hub.settings.redis_url, 0)
    async with running(appender.run):
        yield appender


@contextlib.asynccontextmanager
async def running(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run a worker beside the body, again and again when it fails, as the hub does."""

    async def keep() -> None:
        while True:
            with contextlib.suppress(redis.exceptions.RedisError, OSError, asyncpg.PostgresError):
                await work()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def packet(first: int, samples: int = 3) -> tuple[bytes, Held]:
    """Make an entry of sensor 1, its first sample `first` seconds after T_US."""
    t_us = T_US + (first + np.arange(samples)) * 1_000_000
    series = np.array([(1, samples, 0)], entries.SERIES)
    nan, ok = np.full(samples, np.nan), np.zeros(samples, np.uint8)
    entry = Entry(T_US, series, t_us, np.arange(samples) / 7, nan, ok, np.empty(0, entries.REJECTS), [])
    return entries.encode(entry), Held.of(series["sensor_no"], series["count"], t_us)


async def replace(valkey: Valkey) -> None:
    """Kill Valkey and start it with an empty folder."""
    os.kill(valkey.pid or 0, signal.SIGKILL)
    await valkey.gone()
    shutil.rmtree(valkey.data_dir / "appendonlydir")
    await valkey.start()


async def stored_times(hub: Hub) -> list[int]:
    """Read the stored times, in seconds after T_US."""
    async with hub.db.connection() as connection:
        rows = await connection.fetch("select (first_t + unnest(t_offset) - $1) / 1000000 from telemetry_recent", T_US)
    return sorted(row[0] for row in rows)


async def stored_is(hub: Hub, *times: int) -> None:
    """Wait until exactly these times are stored."""

    async def there() -> bool:
        return await stored_times(hub) == list(times)

    await eventually(there, 20)


async def test_the_old_position_never_trims_what_a_new_server_holds(
    hub: Hub, own_valkey: Valkey, appender: Appender
) -> None:
    writer = Writer(hub, 0)
    trim: Any = writer._trim

    async def replaced_before(stream: Any) -> None:
        writer._trim = trim
        await replace(own_valkey)
        async with redis.asyncio.from_url(own_valkey.url) as client:
            life = (await client.info("server"))["run_id"]
            # By a clock that was set back: its id lies far below the stored position.
            await client.xadd(key_of(0), {"e": packet(10)[0], "l": life}, id="1000-0")
        await trim(stream)

    writer._trim = replaced_before
    async with running(writer.run):
        await appender.append(*packet(0))
        await stored_is(hub, 0, 1, 2, 10, 11, 12)


async def test_what_the_writer_has_read_and_then_stores_is_not_counted_as_lost(
    hub: Hub, own_valkey: Valkey, appender: Appender
) -> None:
    writer = Writer(hub, 0)
    store: Any = writer._store_all
    counted: list[int] = []

    async def replaced_before(*arguments: Any) -> None:
        writer._store_all = store
        await replace(own_valkey)
        counted.append(await losses.check(hub, appender))
        await store(*arguments)

    writer._store_all = replaced_before
    async with running(writer.run):
        await appender.append(*packet(0))
        await stored_is(hub, 0, 1, 2)
        counted.append(await losses.check(hub, appender))
    assert counted == [0, 0]
    assert not appender.remembered


async def test_a_loss_is_counted_once_though_the_database_goes_while_it_is_counted(
    hub: Hub, own_postgres: Postgres, own_valkey: Valkey, appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(hub, 0)
    async with running(writer.run):
        await appender.append(*packet(0))
        await stored_is(hub, 0, 1, 2)
    await appender.append(*packet(10, samples=5))
    await replace(own_valkey)
    note = queries.note_lost

    async def killed_before(*arguments: Any) -> None:
        monkeypatch.setattr(queries, "note_lost", note)
        os.kill(own_postgres.pid or 0, signal.SIGKILL)
        await own_postgres.gone()
        await own_postgres.start()
        await note(*arguments)

    monkeypatch.setattr(queries, "note_lost", killed_before)
    counted: list[int] = []

    async def counts_it() -> bool:
        try:
            counted.append(await losses.check(hub, appender))
        except DatabaseAway:
            counted.append(-1)
        return 5 in counted

    async with running(writer.run):
        await eventually(counts_it, 20)
        assert await losses.check(hub, appender) == 0
    assert -1 in counted
    async with hub.db.connection() as connection:
        rows = await connection.fetch("select sensor_no, samples from stream_lost")
    assert [tuple(row) for row in rows] == [(1, 5)]
    assert await stored_times(hub) == [0, 1, 2]


async def test_the_stream_is_asked_again_over_new_connections(hub: Hub, own_valkey: Valkey) -> None:
    await asyncio.gather(*(hub.stream.info("server") for _ in range(4)))
    os.kill(own_valkey.pid or 0, signal.SIGKILL)
    await own_valkey.gone()
    await own_valkey.start()
    assert await asyncio.gather(*(hub.stream.exists(key_of(0)) for _ in range(4))) == [0, 0, 0, 0]
