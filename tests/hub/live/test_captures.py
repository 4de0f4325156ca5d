"""Ledgers of captures on the live channel: who hears them, that they tell what GET does, and what they cost."""

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientWebSocketResponse, web

from hub.kit.db import Tx
from hub.live import captures
from hub.live.viewer import Viewer
from hub.live.watch import PARTS
from hub.telemetry import counting
from tests.closing import check_adds_up
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Login, Make
from tests.hub.live.conftest import Watch, hear, say
from tests.hub.live.test_sse import listening
from tests.hub.telemetry.conftest import send


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, and at finished captures each time."""
    monkeypatch.setattr(captures, "LOOK_S", 0.05)
    monkeypatch.setattr(captures, "FINISHED_EVERY", 1)


@pytest.fixture
async def recording(sensor: Make, run: Make, editor: Caller) -> dict[str, Any]:
    """A capture that runs, with its `sensor`."""
    one = await sensor()
    made = await run(one)
    capture = (await editor.post(f"/runs/{made['id']}/captures")).ok
    return capture | {"sensor": one}


async def subscribe(socket: ClientWebSocketResponse, recording: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Subscribe to the ledgers of a capture's run and return the first one."""
    answer = await say(socket, op="subscribe", runs=[recording["run_id"]], ledger=True, samples=False, **more)
    assert (answer["op"], answer["runs"], answer["sensors"]) == ("subscribed", [recording["run_id"]], [])
    return await heard(socket, 0)


async def heard(socket: ClientWebSocketResponse, stored: int) -> dict[str, Any]:
    """Receive ledgers, whose counts must add up, until one tells so many stored samples."""
    async with asyncio.timeout(5):
        while True:
            message = await hear(socket)
            assert message["op"] == "capture_ledger", message
            check_adds_up(message["ledger"])
            for part in message["ledger"]["sensors"]:
                check_adds_up(part)
            if (message["ledger"]["stored"], message["ledger"]["pending"]) == (stored, 0):
                return message


async def quiet(socket: ClientWebSocketResponse, for_s: float = 0.4) -> None:
    """Check that nothing more comes but an answer."""
    assert (await say(socket, op="ping"))["op"] == "pong"
    with pytest.raises(TimeoutError):
        await hear(socket, for_s)


class TestWho:
    async def test_strangers_find_no_run(self, watch: Watch, stranger: Caller, recording: dict[str, Any]) -> None:
        answer = await say(await watch(stranger), op="subscribe", runs=[recording["run_id"]], ledger=True)
        assert answer["type"].rpartition("/")[2] == "not-found"
        assert (await stranger.get(f"/live/events?run_id={recording['run_id']}&ledger=true")).code == "not-found"

    async def test_a_token_of_another_project_finds_none(
        self, watch: Watch, login: Login, project: str, other_project: str, recording: dict[str, Any], db: Tx
    ) -> None:
        both = await login("owner", other_project)
        await db.execute(
            "insert into project_member (project_id, user_id, role) values ($1::text::uuid, $2::text::uuid, 'viewer')",
            project,
            both.id,
        )
        for only, op in ((project, "subscribed"), (other_project, "problem")):
            made = (await both.post("/auth/tokens", {"name": "wall", "scope": "read", "project_id": only})).ok
            socket = await watch(Caller(both.client, made["token"]))
            assert (await say(socket, op="subscribe", runs=[recording["run_id"]], ledger=True))["op"] == op

    async def test_who_is_no_member_any_more_hears_nothing(
        self, watch: Watch, viewer: Caller, owner: Caller, project: str, device: Device, recording: dict[str, Any]
    ) -> None:
        socket = await watch(viewer)
        await subscribe(socket, recording)
        await owner.delete(f"/projects/{project}/members/{viewer.id}")
        change = await hear(socket, 1.5)
        assert (change["op"], change["runs"]) == ("access", [recording["run_id"]])
        await send(device(recording["sensor"]), {"samples": [{"t": time.time(), "v": 1.0}]})
        await quiet(socket)

    async def test_only_who_asks_hears_them(
        self, watch: Watch, owner: Caller, device: Device, recording: dict[str, Any]
    ) -> None:
        asking, plain = await watch(owner), await watch(owner)
        await subscribe(asking, recording)
        assert (await say(plain, op="subscribe", runs=[recording["run_id"]]))["runs"] == []
        await send(device(recording["sensor"]), {"samples": [{"t": time.time(), "v": 1.0}]})
        await heard(asking, 1)
        assert (await hear(plain))["op"] == "samples"
        await quiet(plain)


class TestWhat:
    async def test_they_tell_what_the_capture_s_ledger_does(
        self, watch: Watch, viewer: Caller, owner: Caller, device: Device, recording: dict[str, Any]
    ) -> None:
        socket = await watch(viewer)
        first = await subscribe(socket, recording)
        assert (first["capture_id"], first["status"], first["ledger"]["received"]) == (recording["id"], "running", 0)
        now = time.time()
        rows = [{"t": now, "v": 1.0}, {"t": now, "v": 1.0}, {"t": now + 0.01, "v": None}, {"t": now + 0.02, "v": 2.0}]
        await send(device(recording["sensor"]), {"samples": rows})
        counts = (await heard(socket, 2))["ledger"]
        assert counts == (await owner.get(f"/captures/{recording['id']}/ledger")).ok
        assert (counts["received"], counts["duplicates"], counts["rejected"]) == (4, 1, 1)
        assert counts["sensors"][0]["sensor_id"] == recording["sensor"]["id"]
        await quiet(socket)

    async def test_a_finished_capture_grows_late_and_ends_with_what_became_of_it(
        self, watch: Watch, owner: Caller, editor: Caller, device: Device, recording: dict[str, Any], db: Tx
    ) -> None:
        socket = await watch(owner)
        await subscribe(socket, recording)
        within = time.time()
        await editor.post(f"/captures/{recording['id']}/stop")
        assert (await heard(socket, 0))["status"] == "finished"
        await send(device(recording["sensor"]), {"samples": [{"t": within, "v": 1.0}]})
        late = await heard(socket, 1)
        assert (late["status"], late["ledger"]["late"]) == ("finished", 1)
        await db.execute("update capture_session set status = 'failed', failure = 'x'")
        assert (await heard(socket, 1))["status"] == "failed"
        await send(device(recording["sensor"]), {"samples": [{"t": within + 0.001, "v": 1.0}]})
        await quiet(socket)
        late_comer = await watch(owner)
        await late_comer.send_json({"op": "subscribe", "runs": [recording["run_id"]], "ledger": True, "samples": False})
        assert (await hear(late_comer))["op"] == "subscribed"
        await quiet(late_comer)

    async def test_samples_come_too_unless_they_are_not_wanted(
        self, watch: Watch, owner: Caller, device: Device, recording: dict[str, Any]
    ) -> None:
        socket = await watch(owner)
        answer = await say(socket, op="subscribe", runs=[recording["run_id"]], ledger=True)
        assert (answer["sensors"], answer["runs"]) == ([recording["sensor"]["id"]], [recording["run_id"]])
        await send(device(recording["sensor"]), {"samples": [{"t": time.time(), "v": 1.0}]})
        async with asyncio.timeout(5):
            ops = {(await hear(socket))["op"]}
            while ops != {"samples", "capture_ledger"}:
                ops.add((await hear(socket))["op"])

    async def test_unsubscribing_ends_it(
        self, watch: Watch, owner: Caller, device: Device, recording: dict[str, Any]
    ) -> None:
        socket = await watch(owner)
        await subscribe(socket, recording)
        await socket.send_json({"op": "unsubscribe", "runs": [recording["run_id"]]})
        await send(device(recording["sensor"]), {"samples": [{"t": time.time(), "v": 1.0}]})
        await quiet(socket)

    async def test_over_server_sent_events(self, viewer: Caller, device: Device, recording: dict[str, Any]) -> None:
        query = f"run_id={recording['run_id']}&ledger=true&samples=false"
        async with listening(viewer, query) as stream:
            assert (await stream.until("subscribed")).data["runs"] == [recording["run_id"]]
            await send(device(recording["sensor"]), {"samples": [{"t": time.time(), "v": 1.0}]})
            async with asyncio.timeout(5):
                while (counts := (await stream.next()).data)["ledger"]["stored"] == 0:
                    pass
            assert counts["ledger"] == (await viewer.get(f"/captures/{recording['id']}/ledger")).ok


class TestCost:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave the looking to the tests."""
        monkeypatch.setattr(captures, "LOOK_S", 60.0)

    async def test_each_look_counts_once_for_all_who_watch_and_nothing_for_nobody(
        self,
        watch: Watch,
        owner: Caller,
        viewer: Caller,
        device: Device,
        recording: dict[str, Any],
        app: web.Application,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        counted: list[Any] = []
        count = counting.of_capture

        async def noted(hub: Any, capture_id: Any) -> Any:
            counted.append(capture_id)
            return await count(hub, capture_id)

        monkeypatch.setattr(counting, "of_capture", noted)
        ledgers = app[PARTS].captures
        await ledgers.look()
        assert counted == []
        sockets = [await watch(caller) for caller in (owner, viewer, owner)]
        for socket in sockets[:2]:
            await socket.send_json({"op": "subscribe", "runs": [recording["run_id"]], "ledger": True, "samples": False})
            assert (await hear(socket))["op"] == "subscribed"
        await ledgers.look()
        assert len(counted) == 1
        assert await hear(sockets[0]) == await hear(sockets[1])
        # Who comes later gets what was counted last, without a new count.
        assert (await subscribe(sockets[2], recording))["capture_id"] == recording["id"]
        assert len(counted) == 1

    async def test_a_slow_viewer_gets_the_newest_only(self) -> None:
        viewer = Viewer()
        run, one, other = (UUID(int=n) for n in range(3))
        for message in ("1", "2", "3"):
            viewer.tell_counts(run, one, message)
        viewer.tell_counts(run, other, "4")
        assert viewer.take_told() == ["3", "4"]
        viewer.tell_counts(run, one, "5")
        viewer.forget_counts({run})
        assert viewer.take_told() == []
