"""Events of projects on the live socket: who hears which, how sensors are, and what the intake does."""

import asyncio
import time
import uuid
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from dev.postgres import Postgres
from hub.events.models import Event, EventKind
from hub.events.service import EVENTS
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.live import intake
from hub.live.health import Health, ledger_of
from hub.live.intake import IntakeWatch, Level
from hub.live.relay import Relay
from hub.live.watch import PARTS
from hub.settings import Role, Settings
from hub.telemetry import lag
from tests.closing import check_adds_up
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Login, Make
from tests.hub.live.conftest import Watch, hear, hear_event, say
from tests.hub.telemetry.conftest import Wait, send
from tests.pauses import paused


async def subscribe(socket: Any, project: str, **more: Any) -> list[dict[str, Any]]:
    """Subscribe to a project's events and return how its sensors are."""
    answer = await say(socket, op="subscribe", projects=[project], **more)
    assert (answer["op"], answer["projects"]) == ("subscribed", [project])
    states = await hear(socket)
    assert states["op"] == "states"
    return states["sensors"]


async def pushed(socket: Any, **wanted: int | None) -> dict[str, Any]:
    """Hear the counts of the only sensor until they are these."""
    async with asyncio.timeout(10):
        while True:
            message = await hear(socket)
            if message["op"] == "ledger":
                (counts,) = message["sensors"]
                if all(counts[name] == count for name, count in wanted.items()):
                    return counts


class TestWho:
    async def test_strangers_find_no_project(self, watch: Watch, stranger: Caller, project: str) -> None:
        answer = await say(await watch(stranger), op="subscribe", projects=[project])
        assert answer["type"].rpartition("/")[2] == "not-found"

    async def test_a_token_of_another_project_finds_none(
        self, watch: Watch, login: Login, project: str, other_project: str, db: Tx
    ) -> None:
        both = await login("owner")
        await db.execute(
            "insert into project_member (project_id, user_id, role)"
            " select $1::text::uuid, user_id, role from project_member where project_id = $2::text::uuid",
            other_project,
            project,
        )
        assert (await say(await watch(both), op="subscribe", projects=[other_project]))["op"] == "subscribed"
        made = (await both.post("/auth/tokens", {"name": "wall", "scope": "read", "project_id": project})).ok
        socket = await watch(Caller(both.client, made["token"]))
        await subscribe(socket, project)
        answer = await say(socket, op="subscribe", projects=[other_project])
        assert answer["type"].rpartition("/")[2] == "not-found"

    async def test_others_hear_nothing(
        self, watch: Watch, owner: Caller, login: Login, project: str, other_project: str, app: web.Application, db: Tx
    ) -> None:
        other = await login("viewer", other_project)
        mine, theirs = await watch(owner), await watch(other)
        await subscribe(mine, project)
        await subscribe(theirs, other_project)
        subject = await db.fetchval("select gen_random_uuid()")
        for each in (project, other_project):
            told = Event(EventKind.BACKFILL_FINISHED, subject, {"of": each})
            app[EVENTS].publish(await db.fetchval("select $1::text::uuid", each), told)
        for socket, its in ((mine, project), (theirs, other_project)):
            event = await hear_event(socket, "backfill_finished")
            assert (event["project_id"], event["details"], event["subject_id"]) == (its, {"of": its}, str(subject))

    async def test_who_is_no_member_any_more_hears_nothing(
        self, watch: Watch, viewer: Caller, owner: Caller, project: str, sensor: Make, device: Device
    ) -> None:
        one = await sensor()
        socket = await watch(viewer)
        await subscribe(socket, project)
        await owner.delete(f"/projects/{project}/members/{viewer.id}")
        assert await hear(socket, 1.5) == {"op": "access", "gone": [], "projects": [project], "runs": [], "raw": {}}
        await send(device(one), {"samples": [{"t": time.time(), "v": None}]})
        assert (await say(socket, op="ping"))["op"] == "pong"
        with pytest.raises(TimeoutError):
            await hear(socket, 1.2)  # the journal is written, and told, twice a second

    async def test_unsubscribing_ends_it(self, watch: Watch, owner: Caller, project: str, app: web.Application) -> None:
        socket = await watch(owner)
        await subscribe(socket, project)
        assert len(app[PARTS].relay.projects) == 1
        await socket.send_json({"op": "unsubscribe", "projects": [project]})
        assert (await say(socket, op="ping"))["op"] == "pong"
        assert len(app[PARTS].relay.projects) == 0


class TestJournal:
    async def test_trouble_is_told_without_values_and_leads_to_its_entry(
        self, watch: Watch, viewer: Caller, owner: Caller, project: str, sensor: Make, device: Device
    ) -> None:
        one = await sensor(profile={"kind": "custom", "expression": "sqrt(x)", "constants": {}})
        socket = await watch(viewer)
        await subscribe(socket, project)
        await send(device(one), {"samples": [{"t": time.time(), "v": -77.125}]})
        event = await hear_event(socket, "conversion_error")
        assert event["subject_id"] == one["id"]
        assert "77.125" not in str(event)
        (entry,) = (await owner.get(f"/sensors/{one['id']}/journal")).ok["items"]
        assert event["details"] == {
            "journal": "conversion_error",
            "entry_id": entry["id"],
            "count": 1,
            "codes": {},
        }
        assert abs(event["at"] - time.time()) < 5


class TestCaptures:
    async def test_start_and_stop(
        self, watch: Watch, owner: Caller, editor: Caller, project: str, sensor: Make, run: Make
    ) -> None:
        made = await run(await sensor())
        socket = await watch(owner)
        await subscribe(socket, project)
        capture = (await editor.post(f"/runs/{made['id']}/captures")).ok
        await editor.post(f"/captures/{capture['id']}/stop")
        heard = [await hear_event(socket, "capture") for _ in range(3)]
        assert {event["subject_id"] for event in heard} == {capture["id"]}
        assert [event["details"]["change"] for event in heard] == ["created", "started", "stopped"]
        assert heard[1]["details"]["run_id"] == made["id"]


class TestStates:
    async def test_they_begin_with_what_is_and_go_on_with_what_changes(
        self, watch: Watch, owner: Caller, project: str, sensor: Make, device: Device, db: Tx
    ) -> None:
        one = await sensor(heartbeat_interval_s=60)
        socket = await watch(owner)
        assert await subscribe(socket, project) == [
            {"sensor_id": one["id"], "state": "unknown", "last_heartbeat": None}
        ]
        await device(one).post(f"/sensors/{one['id']}/heartbeat")
        event = await hear_event(socket, "sensor_state")
        assert (event["subject_id"], event["details"]["was"], event["details"]["state"]) == (
            one["id"],
            "unknown",
            "online",
        )
        for back, state in ((130, "delayed"), (400, "offline")):
            await db.execute("update sensor set last_heartbeat = now() - make_interval(secs => $1)", float(back))
            assert (await hear_event(socket, "sensor_state"))["details"]["state"] == state

    async def test_counts_are_pushed_on_request(
        self, watch: Watch, owner: Caller, project: str, sensor: Make, device: Device, stored: Wait
    ) -> None:
        one = await sensor()
        plain, counting = await watch(owner), await watch(owner)
        await subscribe(plain, project)
        await subscribe(counting, project, ledger=True)
        now = time.time()
        await send(device(one), {"samples": [{"t": now, "v": 1.0}, {"t": now, "v": 1.0}, {"t": now, "v": None}]})
        ledger = await stored(one)
        assert await pushed(counting, stored=1) == ledger | {"sensor_id": one["id"]}
        heard = [(await hear(plain))["op"] for _ in range(2)]  # online, and one sample rejected
        assert set(heard) == {"event"}

    async def test_they_tell_what_did_not_come(
        self, watch: Watch, owner: Caller, project: str, agent: Make, sensor: Make, device: Device, stored: Wait
    ) -> None:
        one, edge = await sensor(), await agent(default=True)
        socket = await watch(owner)
        await subscribe(socket, project, ledger=True)
        now = time.time()
        for seq in (1, 2):
            await send(device(one), {"seq": seq, "samples": [{"t": now + seq, "v": 1.0}]})
        await stored(one)
        counts = await pushed(socket, stored=2)
        assert (counts["sent"], counts["gaps"]) == (2, 0)
        await send(device(one), {"seq": 5, "samples": [{"t": now + 5, "v": 1.0}]})
        part = {"sensor_id": one["id"], "samples": 4, "first_us": 1, "last_us": 2}
        told = {"report_id": str(uuid.uuid4()), "dropped": [part]}
        assert (await device(edge).post("/edge/dropped", told)).status == 204
        ledger = await stored(one)
        assert await pushed(socket, stored=3, dropped=4) == ledger | {"sensor_id": one["id"]}
        assert (ledger["sent"], ledger["gaps"]) == (None, 2)


class TestCountsThatWait:
    """Nobody stores what is sent."""

    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "live"})

    async def test_they_are_received_and_pending(
        self, watch: Watch, owner: Caller, project: str, sensor: Make, device: Device, db: Tx
    ) -> None:
        one = await sensor()
        await db.execute(
            "insert into sensor_ledger (sensor_no, received, stored, packets_sent, packets_seen)"
            " select no, 1, 1, 1, 1 from sensor"
        )
        socket = await watch(owner)
        await subscribe(socket, project, ledger=True)
        for number, sent in (({"seq": 2}, 2), ({}, None)):
            await send(device(one), number | {"samples": [{"t": time.time(), "v": 1.0}]})
            counts = await pushed(socket, sent=sent)
            check_adds_up(counts)
            assert counts == (await owner.get(f"/sensors/{one['id']}/ledger")).ok | {"sensor_id": one["id"]}
        assert counts["pending"] == 2


class TestCountsWithoutTheStream:
    @pytest.fixture
    def settings(self, settings: Settings, free_port: int) -> Settings:
        return settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port}/0"})

    async def test_what_waits_is_not_guessed(self, app: web.Application, project: str, sensor: Make, db: Tx) -> None:
        await sensor()
        health = Health(app[HUB], Relay(app[HUB].settings.redis_url))
        await db.execute("insert into sensor_ledger (sensor_no, received, stored) select no, 1, 1 from sensor")
        rows, waiting = await health.count([UUID(project)])
        counts = ledger_of(rows[0], waiting)
        assert (counts.received, counts.stored, counts.pending) == (1, 1, None)


class TestIntake:
    async def test_levels_need_two_looks_to_change(
        self, watch: Watch, owner: Caller, project: str, app: web.Application
    ) -> None:
        socket = await watch(owner)
        await subscribe(socket, project)
        watching = IntakeWatch(app[HUB], app[PARTS].relay)
        for lag_ms in (0, 900, 0, 0, 900, 700, 2500, 5000, 100, 100):
            watching.take(lag_ms)
        heard = [await hear(socket) for _ in range(3)]
        assert [(event["kind"], event["details"]["over"], event["details"]["delay_ms"]) for event in heard] == [
            ("ingest_delayed", False, 700),
            ("buffering", False, 5000),
            ("buffering", True, 100),
        ]

    def test_levels_are_ordered(self) -> None:
        assert Level.PROMPT < Level.DELAYED < Level.BUFFERING


class TestDatabaseThatHangs:
    @pytest.fixture
    def database_url(self, own_postgres: Postgres) -> str:
        """A database that the test may pause."""
        return own_postgres.url

    @pytest.fixture
    def looked(self, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
        """Make what takes five seconds take one; the event tells of a look that is over."""
        monkeypatch.setattr(intake, "LOOK_S", 0.1)
        monkeypatch.setattr(intake, "BUFFERING_MS", 800.0)
        monkeypatch.setattr(lag, "ASK_S", 0.3)
        looked, look = asyncio.Event(), lag.Lag.look

        async def look_and_tell(one: lag.Lag) -> float:
            found = await look(one)
            looked.set()
            return found

        monkeypatch.setattr(lag.Lag, "look", look_and_tell)
        return looked

    async def test_buffering_is_told_while_it_lasts(
        self,
        watch: Watch,
        owner: Caller,
        project: str,
        sensor: Make,
        device: Device,
        stored: Wait,
        own_postgres: Postgres,
        looked: asyncio.Event,
    ) -> None:
        made = await sensor()
        socket = await watch(owner)
        await subscribe(socket, project)
        await send(device(made), {"samples": [{"t": time.time(), "v": 1.0}]})
        await stored(made)
        looked.clear()
        await looked.wait()
        with paused(own_postgres):
            assert (await send(device(made), {"samples": [{"t": time.time(), "v": 2.0}]})).status == 202
            event = await hear_event(socket, "buffering", timeout_s=10)
            assert (event["details"]["over"], event["details"]["database_away"]) == (False, True)
        over = await hear_event(socket, "buffering", timeout_s=10)
        assert (over["details"]["over"], over["details"]["database_away"]) == (True, False)
        assert (await stored(made))["stored"] == 2
