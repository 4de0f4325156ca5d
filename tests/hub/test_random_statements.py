"""Whatever is sent to the database, in whatever order and by however many at once, I-1 to I-4 hold after it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from hub.captures.models import DELETABLE
from hub.captures.models import MACHINE as CAPTURES
from hub.experiments.models import MACHINE as EXPERIMENTS
from hub.kit.db import Tx
from hub.runs.models import MACHINE as RUNS
from hub.runs.models import OVER
from tests.hub.rows import Rows
from tests.hub.statements import Chance, Row, World, look

STEPS = 400
ROUNDS = 40
AT_ONCE = 4

RULES = {
    "sensor_held",
    "sensor_gone",
    "experiment_status",
    "experiment_held",
    "experiment_archived",
    "run_status",
    "run_recording",
    "capture_status",
    "capture_run",
    "capture_kept",
    "capture_range",
    "capture_frozen",
    "profile_status",
    "profile_published",
    "profile_alone",
}
PROFILE_MOVES = {
    "draft": {"scheduled", "active"},
    "scheduled": {"active", "deprecated"},
    "active": {"deprecated"},
    "deprecated": set[str](),
}


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def frozen(world: World, capture_id: str) -> list[Row]:
    return [row for row in world["capture_sensor"] if row["capture_id"] == capture_id]


def check_state(world: World) -> None:
    """Expect that what is there fits together (I-1, I-2, E-3)."""
    sensors, experiments = by_id(world["sensor"]), by_id(world["experiment"])
    runs, captures = by_id(world["run"]), by_id(world["capture"])
    for bound in world["run_sensor"]:
        unfinished = runs[bound["run_id"]]["status"] not in OVER
        assert not (unfinished and sensors[bound["sensor_id"]]["deleted_at"]), "I-1: bound and deleted"
    for member in world["capture_sensor"]:
        running = captures[member["capture_id"]]["status"] == "running"
        assert not (running and sensors[member["sensor_id"]]["deleted_at"]), "I-1: recorded and deleted"
    for run in world["run"]:
        active = run["status"] in {"scheduled", "running"}
        assert not (active and experiments[run["experiment_id"]]["status"] == "archived"), "I-2: active and archived"
    for capture in world["capture"]:
        if capture["status"] == "running":
            assert runs[capture["run_id"]]["status"] == "running", "E-3: a capture runs outside of its run"
        if capture["status"] in {"running", "finished", "sealed"}:
            assert capture["started_at"], "E-3: no beginning"
        if capture["status"] in {"finished", "sealed"}:
            assert capture["stopped_at"], "E-3: no end"
    for one in world["profile"]:
        for other in world["profile"]:
            if one["id"] < other["id"] and one["sensor_id"] == other["sensor_id"]:
                assert not both_apply(one, other), "T-8: two versions at a time"


def both_apply(one: Row, other: Row) -> bool:
    """Tell whether there is a time at which both versions apply."""
    if "draft" in {one["status"], other["status"]}:
        return False
    begin = max(one["valid_from"] or "", other["valid_from"] or "")
    return begin < min(one["valid_to"] or "Z", other["valid_to"] or "Z")


def check_kept(before: World, after: World) -> None:
    """Expect that what is finished or published has stayed as it was (I-3, I-4), however much happened between."""
    captures, profiles = by_id(after["capture"]), by_id(after["profile"])
    for old in before["capture"]:
        if old["status"] in {"finished", "sealed"}:
            assert old["id"] in captures, "I-3: gone"
        if old["id"] in captures and old["status"] != "draft":
            fixed = ["run_id", "ordinal_number"]
            fixed += [] if old["status"] == "running" else ["started_at", "stopped_at"]
            assert {name: captures[old["id"]][name] for name in fixed} == {name: old[name] for name in fixed}, "I-3"
            assert frozen(after, old["id"]) == frozen(before, old["id"]), "I-3: other sensors"
    for old in before["profile"]:
        if old["status"] != "draft":
            assert old["id"] in profiles, "I-4: gone"
            free = {"status", "valid_to", "valid_from"}
            now = profiles[old["id"]]
            assert {k: v for k, v in now.items() if k not in free} == {k: v for k, v in old.items() if k not in free}
            if old["valid_from"] is None or old["valid_from"] <= old["created_at"]:
                assert now["valid_from"] == old["valid_from"], "I-4: another beginning"


def check_moves(before: World, after: World) -> None:
    """Expect that one statement moved every state along its machine, that new things are drafts and gone ones were."""
    for noun, machine in (("experiment", EXPERIMENTS), ("run", RUNS), ("capture", CAPTURES)):
        moves: Any = machine.moves
        check_moves_of(
            noun, {state.value: {t.value for t in targets} for state, targets in moves.items()}, before, after
        )
    check_moves_of("profile", PROFILE_MOVES, before, after)
    captures, profiles = by_id(after["capture"]), by_id(after["profile"])
    assert all(old["id"] in captures or old["status"] in DELETABLE for old in before["capture"]), "I-3: gone"
    assert all(old["id"] in profiles or old["status"] == "draft" for old in before["profile"]), "I-4: gone"


def check_moves_of(noun: str, moves: dict[str, set[str]], before: World, after: World) -> None:
    known = by_id(before[noun])
    for row in after[noun]:
        old = known.get(row["id"])
        if old is None:
            assert noun == "profile" or row["status"] == "draft", f"{noun} begins as {row['status']}"
        elif old["status"] != row["status"]:
            assert row["status"] in moves[old["status"]], f"{noun}: {old['status']} → {row['status']}"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_one_after_the_other(rows: Rows, db: Tx, seed: int) -> None:
    chance = Chance(seed, rows)
    done: set[str] = set()
    refused: set[str | None] = set()
    world = await look(db)
    for _ in range(STEPS):
        kind, (statement, arguments) = chance.draw(world)
        try:
            if not (await db.execute(statement, *arguments)).endswith(" 0"):
                done.add(kind)
        except asyncpg.IntegrityConstraintViolationError as error:
            refused.add(error.constraint_name)
        before, world = world, await look(db)
        check_state(world)
        check_kept(before, world)
        check_moves(before, world)
    # The story went about: at least half of the kinds of statements did something, half of the rules refused something.
    assert len(done) >= 0.5 * len(chance.kinds)
    assert len(RULES & refused) >= 0.5 * len(RULES)


@pytest.fixture
async def others(database_url: str) -> AsyncIterator[list[Tx]]:
    """More connections, which find deadlocks at once instead of after a second."""
    connections = [
        await asyncpg.connect(database_url, server_settings={"deadlock_timeout": "3ms"}) for _ in range(AT_ONCE)
    ]
    yield connections
    for connection in connections:
        await connection.close()


@pytest.mark.parametrize("seed", [4, 5, 6])
async def test_at_once(rows: Rows, db: Tx, others: list[Tx], seed: int) -> None:
    """Transactions of three statements each overlap; what is refused is left out, what crosses is given up."""
    chance = Chance(seed, rows)
    outcomes: Counter[str | None] = Counter()

    async def act(tx: Tx, world: World) -> None:
        try:
            async with tx.transaction():
                for _ in range(3):
                    await act_once(tx, world)
        except asyncpg.DeadlockDetectedError:
            outcomes["deadlock"] += 1

    async def act_once(tx: Tx, world: World) -> None:
        _, (statement, arguments) = chance.draw(world)
        try:
            async with tx.transaction():
                outcomes[(await tx.execute(statement, *arguments)).partition(" ")[0]] += 1
        except asyncpg.IntegrityConstraintViolationError as error:
            outcomes[error.constraint_name] += 1

    world = await look(db)
    for _ in range(ROUNDS):
        await asyncio.gather(*(act(tx, world) for tx in others))
        before, world = world, await look(db)
        check_state(world)
        check_kept(before, world)
    assert len(RULES & set(outcomes)) >= 0.5 * len(RULES)
    assert outcomes["UPDATE"] > ROUNDS
