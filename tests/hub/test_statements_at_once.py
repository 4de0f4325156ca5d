"""Plain statements in two transactions at once: the rules hold without any lock that the application may have taken."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import asyncpg
import pytest

from hub.kit.db import Tx
from tests.hub.races import TIMES, at_random, waiting
from tests.hub.rows import BIND, DELETE_SENSOR, FREEZE, MOVE_CAPTURE, MOVE_RUN, Rows

ARCHIVE = "update experiment set status = 'archived' where id = $1"
PUBLISH = "update conversion_profile set status = 'active' where id = $1"


class Rival(NamedTuple):
    """A statement, and the rule that refuses it when the other one came first; None when it is let through."""

    refused_by: str | None
    statement: str
    arguments: tuple[Any, ...]


Pair = tuple[Rival, Rival]


async def deletion_and_binding(rows: Rows) -> Pair:
    sensor = await rows.sensor()
    return (
        Rival("sensor_held", DELETE_SENSOR, (sensor,)),
        Rival("sensor_gone", BIND, (await rows.run(), sensor)),
    )


async def real_deletion_and_binding(rows: Rows) -> Pair:
    _, bind = await deletion_and_binding(rows)
    return Rival("sensor_held", "delete from sensor where id = $1", bind.arguments[1:]), bind


async def deletion_and_freezing(rows: Rows) -> Pair:
    sensor = await rows.sensor()
    return Rival(None, DELETE_SENSOR, (sensor,)), Rival("sensor_gone", FREEZE, (await rows.capture(), sensor))


async def deletion_and_start(rows: Rows) -> Pair:
    sensor = await rows.sensor()
    return (
        Rival("sensor_held", DELETE_SENSOR, (sensor,)),
        Rival("sensor_gone", MOVE_CAPTURE, (await rows.capture(sensors=[sensor]), "running")),
    )


async def archiving_and_start(rows: Rows) -> Pair:
    experiment = await rows.experiment()
    return (
        Rival("experiment_held", ARCHIVE, (experiment,)),
        Rival("experiment_archived", MOVE_RUN, (await rows.run(of=experiment), "running")),
    )


async def archiving_and_scheduling(rows: Rows) -> Pair:
    archive, start = await archiving_and_start(rows)
    return archive, start._replace(arguments=(start.arguments[0], "scheduled"))


async def archiving_and_creation(rows: Rows) -> Pair:
    experiment = await rows.experiment()
    return (
        Rival(None, ARCHIVE, (experiment,)),
        Rival(
            "experiment_archived", "insert into run (experiment_id, number, name) values ($1, 1, 'r')", (experiment,)
        ),
    )


async def end_of_a_run_and_start(rows: Rows) -> Pair:
    run_id = await rows.run("running")
    return (
        Rival("run_recording", MOVE_RUN, (run_id, "succeeded")),
        Rival("capture_run", MOVE_CAPTURE, (await rows.capture(of=run_id), "running")),
    )


async def start_and_freezing(rows: Rows) -> Pair:
    capture = await rows.capture()
    return (
        Rival(None, MOVE_CAPTURE, (capture, "running")),
        Rival("capture_frozen", FREEZE, (capture, await rows.sensor())),
    )


async def start_and_release(rows: Rows) -> Pair:
    capture = await rows.capture(sensors=[await rows.sensor()])
    return (
        Rival(None, MOVE_CAPTURE, (capture, "running")),
        Rival("capture_frozen", "delete from capture_sensor where capture_id = $1", (capture,)),
    )


async def start_and_deletion(rows: Rows) -> Pair:
    capture = await rows.capture()
    return (
        Rival(None, MOVE_CAPTURE, (capture, "running")),
        Rival("capture_kept", "delete from capture_session where id = $1", (capture,)),
    )


async def two_stops(rows: Rows) -> Pair:
    stop = Rival("capture_range", MOVE_CAPTURE, (await rows.capture("running"), "finished"))
    return stop, stop


async def publishing_and_deletion(rows: Rows) -> Pair:
    profile = await rows.profile()
    return (
        Rival(None, PUBLISH, (profile,)),
        Rival("profile_published", "delete from conversion_profile where id = $1", (profile,)),
    )


async def publishing_and_change(rows: Rows) -> Pair:
    profile = await rows.profile()
    return (
        Rival(None, PUBLISH, (profile,)),
        Rival("profile_published", "update conversion_profile set kind = 'table' where id = $1", (profile,)),
    )


async def two_publications(rows: Rows) -> Pair:
    of = await rows.sensor()
    one, other = await rows.profile(of=of), await rows.profile(of=of)
    return Rival("profile_alone", PUBLISH, (one,)), Rival("profile_alone", PUBLISH, (other,))


PAIRS: list[Callable[[Rows], Awaitable[Pair]]] = [
    deletion_and_binding,
    real_deletion_and_binding,
    deletion_and_freezing,
    deletion_and_start,
    archiving_and_start,
    archiving_and_scheduling,
    archiving_and_creation,
    end_of_a_run_and_start,
    start_and_freezing,
    start_and_release,
    start_and_deletion,
    two_stops,
    publishing_and_deletion,
    publishing_and_change,
    two_publications,
]


@pytest.fixture
async def others(database_url: str) -> AsyncIterator[list[Tx]]:
    """Two more connections."""
    connections = [await asyncpg.connect(database_url) for _ in range(2)]
    yield connections
    for connection in connections:
        await connection.close()


async def send(tx: Tx, rival: Rival) -> str | None:
    """Send a rival's statement; returns the rule that refused it."""
    try:
        await tx.execute(rival.statement, *rival.arguments)
    except asyncpg.IntegrityConstraintViolationError as error:
        return error.constraint_name
    return None


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("turned", [False, True])
async def test_second_is_told(
    rows: Rows, db: Tx, others: list[Tx], pair: Callable[[Rows], Awaitable[Pair]], turned: bool
) -> None:
    made = await pair(rows)
    first, second = made[::-1] if turned else made
    transaction = others[0].transaction()
    await transaction.start()
    assert await send(others[0], first) is None
    late = asyncio.create_task(send(others[1], second))
    await waiting(db, 1)  # not yet committed is not yet decided
    await transaction.commit()
    assert await late == second.refused_by


@pytest.mark.parametrize("pair", PAIRS)
async def test_second_goes_on_when_the_first_gives_up(
    rows: Rows, db: Tx, others: list[Tx], pair: Callable[[Rows], Awaitable[Pair]]
) -> None:
    first, second = await pair(rows)
    transaction = others[0].transaction()
    await transaction.start()
    assert await send(others[0], first) is None
    late = asyncio.create_task(send(others[1], second))
    await waiting(db, 1)
    await transaction.rollback()
    assert await late is None


@pytest.mark.parametrize("pair", PAIRS)
async def test_by_chance(rows: Rows, others: list[Tx], pair: Callable[[Rows], Awaitable[Pair]]) -> None:
    chance = random.Random(13)

    async def commit_later(tx: Tx, rival: Rival) -> str | None:
        async with tx.transaction():
            refusal = None
            try:
                async with tx.transaction():
                    await tx.execute(rival.statement, *rival.arguments)
            except asyncpg.IntegrityConstraintViolationError as error:
                refusal = error.constraint_name
            await asyncio.sleep(chance.uniform(0, 0.002))
        return refusal

    for _ in range(TIMES):
        made = await pair(rows)
        told = await at_random(chance, *(commit_later(tx, rival) for tx, rival in zip(others, made, strict=True)))
        # One of the orders happened, and no third thing.
        assert told in ([None, made[1].refused_by], [made[0].refused_by, None]), told
