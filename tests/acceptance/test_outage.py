"""Two loads of 5,000 samples/s, over HTTP and over MQTT, while the database is away for 30 s and parts are killed."""

import asyncio
import contextlib
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.journal import Journal, Sample, say, seeded
from tests.acceptance.load import Gateway, Stream, over_broker, over_http
from tests.acceptance.system import LINEAR, System, eventually
from tests.services import run

pytestmark = pytest.mark.slow

SENSORS = 200  # each 25 samples/s
GATEWAYS = 20
OUTAGE_S = 30.0
WRITERS = ("writer a", "writer b")


@dataclass
class Way:
    """One way in: what its senders noted, and what the table holds of its sensors."""

    journal: Journal = field(default_factory=Journal)
    stored: list[Sample] = field(default_factory=list[Sample])

    @cached_property
    def once(self) -> set[Sample]:
        """What is stored, repeats left out."""
        return set(self.stored)


@dataclass
class Outcome:
    """What was sent, what was seen on the way, and what was found at the end."""

    http: Way = field(default_factory=Way)
    mqtt: Way = field(default_factory=Way)
    refusals: Counter[Any] = field(default_factory=Counter[Any])
    acknowledged_in_outage: list[int] = field(default_factory=list[int])
    ledgers: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    not_stored: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    dead: int = 0
    left_in_spool: int = 0


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(_much_fails(tmp_path_factory.mktemp("outage")))


async def _much_fails(folder: Path) -> Outcome:
    seed, _ = seeded()
    outcome = Outcome()
    system = System(folder)
    try:
        await system.start(WRITERS)
        await system.start_broker()
        over_http_, over_mqtt_ = await asyncio.gather(
            system.bench("http", SENSORS, LINEAR), system.bench("mqtt", SENSORS, LINEAR)
        )
        await system.start_edge(over_mqtt_.agent)
        token, ids = over_http_.agent.token or "", over_http_.ids
        gateways = [
            Gateway(
                system.hub_urls, token, ids[i::GATEWAYS], outcome.http.journal, seed + i, gives_up=0.02, repeats=0.01
            )
            for i in range(GATEWAYS)
        ]
        streams = [Stream(sensor, outcome.mqtt.journal, seed + i) for i, sensor in enumerate(over_mqtt_.sensors)]
        async with AsyncExitStack() as load:
            await load.enter_async_context(over_http(gateways))
            await load.enter_async_context(over_broker(streams, system.mqtt_port))
            say("load begins")
            await _flowing(system, outcome)
            await _without_database(system, outcome)
            for part in ("api", "edge", WRITERS[0]):
                say(f"kill {part}")
                await system.kill(part)
                await system.again(part)
                await _flowing(system, outcome)
        say("load ended")
        for gateway in gateways:
            outcome.refusals.update(gateway.refusals)
        await _settled(system, outcome)
        await _look(system, outcome)
    finally:
        await system.stop()
    return outcome


async def _flowing(system: System, outcome: Outcome) -> None:
    """Wait until both ways acknowledge samples again and the table grows."""
    http, mqtt = outcome.http.journal.acknowledged_count, outcome.mqtt.journal.acknowledged_count
    stored = await system.stored_count()

    async def grown() -> bool:
        both = outcome.http.journal.acknowledged_count > http and outcome.mqtt.journal.acknowledged_count > mqtt
        return both and await system.stored_count() > stored

    await eventually(grown, 60)


async def _without_database(system: System, outcome: Outcome) -> None:
    say("database away")
    await system.postgres.stop()
    http, mqtt = outcome.http.journal.acknowledged_count, outcome.mqtt.journal.acknowledged_count
    await asyncio.sleep(OUTAGE_S)
    outcome.acknowledged_in_outage = [
        outcome.http.journal.acknowledged_count - http,
        outcome.mqtt.journal.acknowledged_count - mqtt,
    ]
    await system.postgres.start()
    say("database back")
    await _flowing(system, outcome)


async def _more_than(system: System, count: int) -> bool:
    return await system.stored_count() > count


async def _settled(system: System, outcome: Outcome) -> None:
    """Wait until the edge's spool has reached the hub and the stream the table."""
    wanted = outcome.http.journal.acknowledged_count + outcome.mqtt.journal.acknowledged_count
    with contextlib.suppress(TimeoutError):  # what is missing then is told by the tests
        await eventually(lambda: _more_than(system, wanted - 1), 60)
    await system.programs["edge"].stop()
    await system.drained()


async def _look(system: System, outcome: Outcome) -> None:
    say("settled")
    way_of = {sensor: way for way in (outcome.http, outcome.mqtt) for sensor in way.journal.sensors()}
    for sample in await system.stored():
        way_of[sample[0]].stored.append(sample)
    outcome.ledgers = await system.ledgers(list(way_of))
    for sensor, reason, n in await system.fetch(
        "select sensor.id::text, reason, n from telemetry_not_stored join sensor on no = sensor_no"
    ):
        outcome.not_stored.setdefault(sensor, Counter())[reason] += n
    outcome.dead = (await system.fetch("select count(*) from stream_dead"))[0][0]
    with contextlib.closing(sqlite3.connect(system.folder / "data" / "edge" / "spool.sqlite")) as spool:
        for table in ("entry", "refused"):
            outcome.left_in_spool += spool.execute(f"select count(*) from {table}").fetchone()[0]


def test_every_fault_was_met(outcome: Outcome) -> None:
    assert min(outcome.acknowledged_in_outage) > 0.8 * 5000 * OUTAGE_S
    assert outcome.refusals
    assert any(outcome.ledgers[sensor]["duplicates"] for sensor in outcome.http.journal.sensors())


@pytest.fixture(params=["http", "mqtt"])
def way(outcome: Outcome, request: pytest.FixtureRequest) -> Way:
    return getattr(outcome, request.param)


class TestWhatWasAcknowledged:
    def test_is_stored(self, way: Way) -> None:
        acknowledged = way.journal.acknowledged()
        missing = acknowledged - way.once
        assert len(acknowledged) > 5000 * OUTAGE_S
        assert not missing, f"{len(missing)} of {len(acknowledged)}, e.g. {sorted(missing)[:3]}"

    def test_is_stored_once_and_beside_it_only_what_was_sent(self, way: Way) -> None:
        foreign = way.once - way.journal.sent()
        assert len(way.stored) == len(way.once)
        assert not foreign, f"{len(foreign)}, e.g. {sorted(foreign)[:3]}"

    def test_is_what_the_ledgers_say(self, outcome: Outcome, way: Way) -> None:
        stored = Counter(sensor for sensor, _, _ in way.stored)
        for sensor in way.journal.sensors():
            ledger, set_aside = outcome.ledgers[sensor], outcome.not_stored.get(sensor, Counter())
            assert ledger["received"] == ledger["stored"] + ledger["duplicates"], ledger
            assert (ledger["rejected"], ledger["pending"], ledger["lost"]) == (0, 0, 0), ledger
            assert ledger["stored"] == stored[sensor]
            assert ledger["received"] == stored[sensor] + set_aside.total()
            assert set(set_aside) <= {"duplicate"}

    def test_has_no_gap_but_where_a_packet_never_came(self, outcome: Outcome, way: Way) -> None:
        gaps = way.journal.gaps(way.once)
        assert {sensor: outcome.ledgers[sensor]["gaps"] for sensor in gaps} == gaps
        if way is outcome.mqtt:
            assert not any(gaps.values())  # its senders give nothing up


def test_nothing_is_left_on_the_way(outcome: Outcome) -> None:
    assert (outcome.dead, outcome.left_in_spool) == (0, 0)
