"""Bytes on disk for each sample: what sealing keeps, and what a slow sensor costs in the recent window once merged."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import numpy as np

from bench import figures
from bench.figures import Figure
from bench.rig import Rig
from contract.manifest import digest_of
from hub.app import make_hub
from hub.kit.context import Hub
from hub.kit.db import prepare_connection
from hub.sealing import job, service
from hub.sealing.models import Cause
from hub.settings import Settings
from hub.telemetry import merging
from hub.telemetry.chunks import COPY_COLUMNS, Samples, copy_rows, cut
from hub.telemetry.entries import I64

UNIT: Final = "B/sample"
DAY_US: Final = 86_400_000_000
# Noon of a day, so that none of it falls on two partitions.
NOON_US: Final = 20_000 * DAY_US + DAY_US // 2
FAST_SENSORS, FAST_HZ, FAST_S = 4, 1_000, 300
SLOW_SENSORS, SLOW_S, SLOW_STEP_S = 20, 11 * 3600, 600


@dataclass
class SetClock:
    """A clock that is set."""

    us: int

    def now(self) -> datetime:
        """Return the time that was set."""
        return datetime.fromtimestamp(self.us / 1e6, UTC)

    def now_us(self) -> int:
        """Return it in µs since 1970."""
        return self.us


async def measure_sealed(name: str, limit: float, say: Callable[[str], None]) -> Figure:
    """Seal a capture of noisy 16-bit values, raw and physical at their full mantissa, and measure its copy."""
    async with Rig() as rig:
        hub, connection = await _parts(rig, SetClock(NOON_US))
        n = FAST_HZ * FAST_S
        t_us = NOON_US + np.arange(n) * (1_000_000 // FAST_HZ)
        for no in range(1, FAST_SENSORS + 1):
            await _store(connection, _samples(no, t_us), chunk=250)
        capture_id = await _capture(connection, NOON_US, NOON_US + FAST_S * 1_000_000)
        say(f"{name}: seal {FAST_SENSORS * n:,} samples")
        async with hub.db.transaction() as tx:
            await service.plan(tx, capture_id, Cause.HAND)
        while await job.step(hub):
            pass
        whole = digest_of(t_us, _samples(FAST_SENSORS, t_us).raw).sha256
        sealed = await connection.fetchval("select sha256 from capture_manifest where sensor_no = $1", FAST_SENSORS)
        if sealed != whole:
            raise RuntimeError("what was sealed is not what was stored")
        size = await _size(connection, "telemetry_captured")
        await _end(hub, connection)
    return figures.of_values(name, [size / (FAST_SENSORS * n)], unit=UNIT, limit=limit)


async def measure_recent(name: str, limit: float, say: Callable[[str], None]) -> Figure:
    """Let sensors send once a second for hours, each sample a chunk, merged and vacuumed as time goes on."""
    async with Rig() as rig:
        clock = SetClock(NOON_US)
        hub, connection = await _parts(rig, clock)
        merged_to: int | None = NOON_US
        for start_s in range(0, SLOW_S, SLOW_STEP_S):
            for no in range(1, SLOW_SENSORS + 1):
                t_us = NOON_US + (start_s + np.arange(SLOW_STEP_S)) * 1_000_000
                await _store(connection, _samples(no, t_us), chunk=1)
            clock.us = NOON_US + (start_s + SLOW_STEP_S) * 1_000_000
            merged_to = await merging.merge(hub, merged_to)
            await connection.execute("vacuum telemetry_recent")
        await merging.tighten(hub)
        say(f"{name}: {SLOW_SENSORS * SLOW_S:,} samples, a second apart")
        size = sum(
            [
                await _size(connection, row["name"])
                for row in await connection.fetch(
                    "select inhrelid::regclass::text as name from pg_inherits"
                    " where inhparent = 'telemetry_recent'::regclass"
                )
            ]
        )
        stored = await connection.fetchval("select sum(n) from telemetry_recent")
        if stored != SLOW_SENSORS * SLOW_S:
            raise RuntimeError(f"{stored} samples are left")
        await _end(hub, connection)
    return figures.of_values(name, [size / stored], unit=UNIT, limit=limit)


async def _parts(rig: Rig, clock: SetClock) -> tuple[Hub, "asyncpg.Connection[asyncpg.Record]"]:
    settings = Settings(database_url=rig.postgres.url, redis_url=rig.valkey.url, data_dir=rig.folder / "data")
    connection = await asyncpg.connect(rig.postgres.url)
    await prepare_connection(connection)
    await connection.execute("select ensure_telemetry_day($1)", NOON_US // DAY_US)
    return make_hub(settings, clock), connection


async def _end(hub: Hub, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.close()
    await hub.limits.close()
    await hub.stream.aclose()
    await hub.db.close()


def _samples(no: int, t_us: I64) -> Samples:
    """Make 16-bit noise in steps of a tenth of a millivolt, whose doubles use all of their 52 bits."""
    raw = np.random.default_rng(no).integers(-32_768, 32_768, len(t_us)).astype(np.float64) * 0.0001
    return Samples(
        sensor_no=np.full(len(t_us), no, np.int32),
        t_us=t_us,
        raw=raw,
        physical=raw * 2.0 + 1.0,
        status=np.zeros(len(t_us), np.uint8),
        version=np.ones(len(t_us), np.int32),
        received_at_us=t_us,
        identity=raw.view(np.int64),
        meta={},
        vectors={},
    )


async def _store(connection: "asyncpg.Connection[asyncpg.Record]", samples: Samples, *, chunk: int) -> None:
    starts = np.union1d(cut(samples), np.arange(0, len(samples.t_us), chunk))
    await connection.copy_to_table(
        "telemetry_recent", source=_source(copy_rows(samples, starts)), columns=COPY_COLUMNS, format="binary"
    )


async def _source(rows: Iterator[bytes]) -> AsyncIterator[bytes]:
    for part in rows:
        yield part


async def _capture(connection: "asyncpg.Connection[asyncpg.Record]", from_us: int, to_us: int) -> UUID:
    """Make a finished capture of all sensors, past the rules of how one comes to be."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        project = await connection.fetchval("insert into project (name) values ('bench') returning id")
        user = await connection.fetchval(
            "insert into app_user (email, name, password_hash) values ('bench@example.com', 'bench', '!') returning id"
        )
        experiment = await connection.fetchval(
            "insert into experiment (project_id, name, owner_id) values ($1, 'bench', $2) returning id", project, user
        )
        run = await connection.fetchval(
            "insert into run (experiment_id, number, name) values ($1, 1, 'bench') returning id", experiment
        )
        capture_id = await connection.fetchval(
            """
            insert into capture_session
              (run_id, ordinal_number, status, started_at, stopped_at, initiated_by, initiated_role)
            values ($1, 1, 'finished', $2, $3, $4, 'editor')
            returning id
            """,
            run,
            epoch + timedelta(microseconds=from_us),
            epoch + timedelta(microseconds=to_us),
            user,
        )
        await connection.execute(
            """
            with made as (
              insert into sensor (project_id, name, type, input_unit, display_unit, token_digest, token_sealed)
              select $1, format('sensor %s', i), 'voltage', 'V', 'V', decode(md5(i::text), 'hex'), ''
              from generate_series(1, $3::int) i
              returning id, no
            )
            insert into capture_sensor (capture_id, sensor_id, sensor_no, place)
            select $2, id, no, no
            from made
            """,
            project,
            capture_id,
            FAST_SENSORS,
        )
    return capture_id


async def _size(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> int:
    return await connection.fetchval("select pg_total_relation_size($1::regclass)", table)
