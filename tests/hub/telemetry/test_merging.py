"""Merging and retention beside the writer: no sample is lost, none comes twice, and what captures need stays."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from hub.kit.context import HUB, Hub
from hub.kit.db import Tx
from hub.settings import Role
from hub.telemetry import merge_queries, merging, retention
from hub.telemetry.merging import MergeBroken
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

DAY_US = 86_400_000_000
Contents = list[tuple[Any, ...]]


@pytest.fixture
def roles() -> frozenset[Role]:
    """Merging and retention are done by the tests."""
    return frozenset({"api", "writer"})


@pytest.fixture
def hub(app: web.Application) -> Hub:
    return app[HUB]


async def contents(db: Tx) -> Contents:
    """Read everything that is stored, sample by sample."""
    rows = await db.fetch("select * from telemetry_record order by timestamp, raw_value, capture_session_id")
    return [tuple(row) for row in rows]


async def chunks(db: Tx) -> int:
    """Count the chunks of the recent window."""
    return await db.fetchval("select count(*) from telemetry_recent")


async def trickle(device: Caller, wait: Wait, sensor: dict[str, Any], *, start: float, count: int) -> None:
    """Send samples, a second apart, in chunks of their own, some with meta and some at the same time."""
    for i in range(count):
        row: dict[str, Any] = {"t": start + i, "v": i * 0.1}
        if i % 3 == 0:
            row["meta"] = {"i": i}
        assert (
            await send(device, {"samples": [row, {"t": start + i, "v": -1.0}] if i % 5 == 0 else [row]})
        ).status == 202
        await wait(sensor)


class TestMerging:
    async def test_small_chunks_once_they_are_old(
        self, hub: Hub, sensor: Make, device: Device, stored: Wait, db: Tx
    ) -> None:
        made = await sensor()
        slot = (time.time() - 3600) // 600 * 600
        await trickle(device(made), stored, made, start=slot + 10, count=8)
        await trickle(device(made), stored, made, start=time.time() - 300, count=2)
        before, many = await contents(db), await chunks(db)
        assert many == 10
        await merging.merge(hub)
        assert await chunks(db) == 3
        assert await contents(db) == before
        await merging.merge(hub)
        assert await chunks(db) == 3

    async def test_an_index_is_rebuilt_once_it_is_mostly_empty(self, hub: Hub, sensor: Make, db: Tx) -> None:
        await sensor()
        no = await db.fetchval("select no from sensor")
        slot = (hub.clock.now_us() - 3_600_000_000) // 600_000_000 * 600_000_000
        await db.execute("insert into sensor_ledger (sensor_no) values ($1)", no)
        await db.execute("select ensure_telemetry_day($1)", slot // DAY_US)
        size = "select pg_indexes_size(('telemetry_recent_' || to_char(to_timestamp($1), 'YYYYMMDD'))::regclass)"
        await db.execute(
            """
            insert into telemetry_recent
              (sensor_no, first_t, last_t, n, t_offset, raw, physical, profile_version, received_at)
            select $1, $2::bigint + i, $2::bigint + i, 1, '{0}', '{1}', '{3}', 1, 0
            from generate_series(1, 40000) i
            """,
            no,
            slot,
        )
        await merging.merge(hub)
        before = await db.fetchval(size, slot / 1e6)
        await merging.tighten(hub)
        assert await db.fetchval(size, slot / 1e6) < before / 10
        assert await db.fetchval("select sum(n) from telemetry_recent") == 40_000

    async def test_what_is_deleted_must_be_what_was_read(
        self, hub: Hub, sensor: Make, device: Device, stored: Wait, db: Tx, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = await sensor()
        await trickle(device(made), stored, made, start=(time.time() - 3600) // 600 * 600, count=3)
        before = await contents(db)
        real = merge_queries.delete

        async def without_one(tx: Tx, sensors: Any, from_t: int, to_t: int, chunks: Any) -> tuple[int, int]:
            return await real(tx, sensors, from_t, to_t, chunks[1:])

        monkeypatch.setattr(merge_queries, "delete", without_one)
        with pytest.raises(MergeBroken):
            await merging.merge(hub)
        assert (await contents(db), await chunks(db)) == (before, 3)

    async def test_beside_the_writer(self, hub: Hub, sensor: Make, device: Device, stored: Wait, db: Tx) -> None:
        """Samples of an old slot arrive, each twice, while two workers merge that slot without a pause."""
        made = await sensor()
        slot = (time.time() - 3600) // 600 * 600
        done = asyncio.Event()

        async def merge() -> None:
            while not done.is_set():
                await merging.merge(hub)

        async def publish(offset: float) -> None:
            for i in range(15):
                rows = [{"t": slot + 20 * k + offset, "v": float(i)} for k in range(i, i + 10)]
                assert (await send(device(made), {"samples": rows})).status == 202
                assert (await send(device(made), {"samples": rows})).status == 202

        async with asyncio.TaskGroup() as group:
            merges = [group.create_task(merge()) for _ in range(2)]
            await asyncio.gather(publish(0.0), publish(0.5))
            ledger = await stored(made)
            done.set()
            await asyncio.gather(*merges)
        assert (ledger["stored"], ledger["duplicates"]) == (300, 300)
        await merging.merge(hub)
        found = await contents(db)
        assert len(found) == len(set(map(str, found))) == 300
        assert await chunks(db) == 1


class TestRetention:
    async def fill(self, db: Tx, no: int, day: int) -> None:
        """Store a sample at the noon of a day."""
        await db.execute("select ensure_telemetry_day($1)", day)
        await db.execute(
            """
            insert into telemetry_recent
              (sensor_no, first_t, last_t, n, t_offset, raw, physical, profile_version, received_at)
            values ($1, $2, $2, 1, '{0}', '{1}', '{3}', 1, $2)
            """,
            no,
            day * DAY_US + DAY_US // 2,
        )

    async def capture(self, db: Tx, rows: Any, sensor: dict[str, Any], day: int, status: str) -> Any:
        """Make a capture of the sensor over a day."""
        made = await rows.capture("draft", sensors=[sensor["id"]])
        start = datetime.fromtimestamp(day * 86_400, UTC)
        await db.execute("update capture_sensor set sensor_no = (select no from sensor where id = sensor_id)")
        for move in ("running", "finished", status):
            await db.execute(
                """
                update capture_session
                set status = $2, started_at = $3, stopped_at = case when $2 <> 'running' then $4::timestamptz end
                where id = $1 and status <> $2
                """,
                made,
                move,
                start,
                start + timedelta(days=1),
            )
        return made

    async def days(self, db: Tx) -> set[int]:
        """List the days that hold samples."""
        return {row[0] // DAY_US for row in await db.fetch("select first_t from telemetry_recent")}

    async def test_never_a_day_that_an_unsealed_capture_touches(
        self, hub: Hub, sensor: Make, rows: Any, db: Tx
    ) -> None:
        made = await sensor()
        no = await db.fetchval("select no from sensor")
        await db.execute("alter table capture_sensor disable trigger all")
        today = hub.clock.now_us() // DAY_US
        old = [today - 40, today - 38, today - 36, today - 34]
        for day in (*old, today - 29, today):
            await self.fill(db, no, day)
        await self.capture(db, rows, made, old[0], "finished")
        sealed = await self.capture(db, rows, made, old[1], "sealed")
        await self.capture(db, rows, made, old[2], "failed")
        # A range ends before its stopped_at; the day after is kept all the same.
        await db.execute(
            "insert into capture_late (capture_id, sensor_no, first_t, last_t, n) values ($1, $2, $3, $3, 1)",
            sealed,
            no,
            old[1] * DAY_US,
        )
        assert set(await retention.drop_old(hub)) & set(old) == {old[3]}
        assert await self.days(db) == {*old[:3], today - 29, today}
        await db.execute("update capture_late set seal = 2")
        assert set(await retention.drop_old(hub)) & set(old) == {old[1]}
        await db.execute("alter table capture_sensor enable trigger all")

    async def test_a_late_sample_makes_its_day_anew(
        self, hub: Hub, sensor: Make, device: Device, rows: Any, stored: Wait, db: Tx, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The writer had made the day before it was dropped; nothing is set aside as not storable."""
        made = await sensor()
        first = time.time() - 5 * 86_400
        assert (await send(device(made), {"samples": [{"t": first, "v": 1.0}]})).status == 202
        await stored(made)
        day = int(first) // 86_400
        assert await db.fetchval("select drop_telemetry_day($1)", day)
        assert (await send(device(made), {"samples": [{"t": first + 1, "v": 2.0}]})).status == 202
        async with asyncio.timeout(10):
            while not await db.fetchval("select count(*) from telemetry_recent"):  # noqa: ASYNC110 - the writer's doing
                await asyncio.sleep(0.02)
        assert await db.fetchval("select count(*) from stream_dead") == 0

    async def test_beside_the_writer(self, hub: Hub, sensor: Make, device: Device, stored: Wait, db: Tx) -> None:
        """A day is dropped again and again while its samples arrive: each is stored, or gone with the day."""
        made = await sensor()
        first = (time.time() - 3 * 86_400) // 86_400 * 86_400 + 100
        done = asyncio.Event()
        dropped = 0

        async def drop() -> None:
            nonlocal dropped
            while not done.is_set():
                async with hub.db.transaction() as tx:
                    dropped += await merge_queries.drop_day(tx, int(first) // 86_400)
                await asyncio.sleep(0.005)

        async with asyncio.TaskGroup() as group:
            group.create_task(drop())
            for i in range(40):
                assert (await send(device(made), {"samples": [{"t": first + i, "v": 1.0}]})).status == 202
                await asyncio.sleep(0.01)
            ledger = await stored(made)
            done.set()
        assert (ledger["stored"], ledger["rejected"]) == (40, 0)
        assert dropped > 1
        assert await db.fetchval("select count(*) from stream_dead") == 0

    async def test_a_reader_is_not_waited_for_long(self, hub: Hub, sensor: Make, db: Tx) -> None:
        await sensor()
        no = await db.fetchval("select no from sensor")
        day = hub.clock.now_us() // DAY_US - 50
        await self.fill(db, no, day)
        async with hub.db.snapshot() as reader:
            await reader.execute("select count(*) from telemetry_recent")
            assert day not in await retention.drop_old(hub)
        assert day in await retention.drop_old(hub)

    async def test_vectors_go_by_row(self, hub: Hub, sensor: Make, rows: Any, db: Tx) -> None:
        made = await sensor()
        no = await db.fetchval("select no from sensor")
        today = hub.clock.now_us() // DAY_US
        await db.execute("alter table capture_sensor disable trigger all")
        for day in (today - 40, today - 38, today):
            await db.execute(
                "insert into telemetry_vector values ($1, $2, 0, 1, $2, '{1}', '{1}')", no, day * DAY_US + DAY_US // 2
            )
        await self.capture(db, rows, made, today - 38, "sealed")
        await db.execute("alter table capture_sensor enable trigger all")
        await retention.drop_old(hub)
        assert {row[0] // DAY_US for row in await db.fetch("select t from telemetry_vector")} == {today - 38, today}
