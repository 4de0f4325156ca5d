"""The live WebSocket: who may watch, what arrives, and resuming without a gap."""

import time
from typing import Any, ClassVar

import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient

from contract import frames
from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.live.conftest import Watch, gather, hear, say
from tests.hub.telemetry.conftest import send


class TestWho:
    async def test_nobody_without_a_token(self, client: TestClient[Any, Any]) -> None:
        socket = await client.ws_connect("/api/v1/live")
        answer = await say(socket, op="ping")
        assert (answer["op"], answer["type"].rpartition("/")[2]) == ("problem", "unauthenticated")
        assert (await socket.receive(timeout=5)).type is WSMsgType.CLOSE
        assert socket.close_code == 4401

    async def test_a_header_will_do(self, client: TestClient[Any, Any], owner: Caller) -> None:
        socket = await client.ws_connect("/api/v1/live", headers={"Authorization": f"Bearer {owner.token}"})
        assert (await hear(socket, 5))["op"] == "ready"
        assert (await say(socket, op="ping"))["op"] == "pong"
        await socket.close()

    async def test_a_stranger_finds_no_sensor(self, watch: Watch, stranger: Caller, sensor: Make) -> None:
        one = await sensor()
        answer = await say(await watch(stranger), op="subscribe", sensors=[one["id"]])
        assert answer["type"].rpartition("/")[2] == "not-found"

    async def test_a_viewer_gets_no_raw(self, watch: Watch, viewer: Caller, sensor: Make, device: Device) -> None:
        one = await sensor()
        socket = await watch(viewer)
        refused = await say(socket, op="subscribe", sensors=[one["id"]], values=["raw"])
        assert refused["type"].rpartition("/")[2] == "raw-not-allowed"
        assert (await say(socket, op="subscribe", sensors=[one["id"]]))["op"] == "subscribed"
        await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
        series = (await gather(socket, 1))[0]
        assert series["physical"] == [3.0]
        assert "raw" not in series

    async def test_a_bad_message_costs_nothing_else(self, watch: Watch, owner: Caller) -> None:
        socket = await watch(owner)
        assert (await say(socket, op="dance"))["type"].rpartition("/")[2] == "invalid-payload"
        assert (await say(socket, op="ping"))["op"] == "pong"


class TestAccessChanges:
    """Each acts on an open connection within a second, whichever replica it came by."""

    async def test_who_is_no_member_any_more_sees_nothing(
        self, watch: Watch, owner: Caller, viewer: Caller, sensor: Make, device: Device, db: Tx
    ) -> None:
        one = await sensor()
        socket = await watch(viewer)
        await say(socket, op="subscribe", sensors=[one["id"]])
        await db.execute("delete from project_member where role = 'viewer'")
        assert await hear(socket, 1.5) == {"op": "access", "gone": [one["id"]], "projects": [], "runs": [], "raw": {}}
        await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
        assert (await say(socket, op="ping"))["op"] == "pong"
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.5)

    async def test_raw_values_come_and_go_with_the_policy(
        self, watch: Watch, owner: Caller, viewer: Caller, project: str, sensor: Make, device: Device
    ) -> None:
        one = await sensor()
        socket = await watch(viewer)
        await say(socket, op="subscribe", sensors=[one["id"]])
        for policy, is_open in (("open", True), ("physical-only", False)):
            await owner.patch(f"/projects/{project}/settings", {"raw_policy": policy})
            assert await hear(socket, 1.5) == {
                "op": "access",
                "gone": [],
                "projects": [],
                "runs": [],
                "raw": {one["id"]: is_open},
            }
            await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
            assert ("raw" in (await gather(socket, 1))[0]) is is_open

    async def test_a_lower_role_loses_raw_even_if_named(
        self, watch: Watch, owner: Caller, editor: Caller, project: str, sensor: Make, device: Device
    ) -> None:
        one = await sensor()
        socket = await watch(editor)
        await say(socket, op="subscribe", sensors=[one["id"]], values=["raw", "physical"])
        await owner.put(f"/projects/{project}/members/{editor.id}", {"role": "viewer"})
        assert (await hear(socket, 1.5))["raw"] == {one["id"]: False}
        await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
        assert "raw" not in (await gather(socket, 1))[0]

    async def test_a_session_that_ends_closes_it(self, watch: Watch, viewer: Caller) -> None:
        socket = await watch(viewer)
        await viewer.post("/auth/logout")
        message = await hear(socket, 1.5)
        assert message["type"].rpartition("/")[2] == "unauthenticated"
        assert (await socket.receive(timeout=1)).type is WSMsgType.CLOSE
        assert socket.close_code == 4401

    async def test_a_revoked_personal_token_closes_it(self, watch: Watch, viewer: Caller) -> None:
        made = (await viewer.post("/auth/tokens", {"name": "wall", "scope": "read"})).ok
        socket = await watch(Caller(viewer.client, made["token"]))
        await viewer.delete(f"/auth/tokens/{made['id']}")
        assert (await hear(socket, 1.5))["type"].rpartition("/")[2] == "unauthenticated"


class TestWhat:
    async def test_samples_arrive_as_json_and_binary(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device
    ) -> None:
        one, other = await sensor(), await sensor()
        text, binary = await watch(owner), await watch(owner)
        await say(text, op="subscribe", sensors=[one["id"]])
        await say(binary, op="subscribe", sensors=[one["id"]], encoding="binary")
        now = round(time.time(), 3)
        await send(device(other), {"samples": [{"t": now, "v": 9.0}]})
        await send(device(one), {"samples": [{"t": now, "v": 1.25}, {"t": now + 0.1, "v": 1.5}]})
        series = await gather(text, 2)
        assert [s["sensor_id"] for s in series] == [one["id"]]
        assert (series[0]["raw"], series[0]["physical"]) == ([1.25, 1.5], [3.5, 4.0])
        assert series[0]["t"] == [now, round(now + 0.1, 6)]
        frame = frames.decode(await binary.receive_bytes(timeout=5))
        assert str(frame.series[0].sensor_id) == one["id"]
        assert frame.series[0].raw is not None
        assert frame.series[0].raw.tolist() == [1.25, 1.5]

    async def test_unsubscribing_ends_it(self, watch: Watch, owner: Caller, sensor: Make, device: Device) -> None:
        one, other = await sensor(), await sensor()
        socket = await watch(owner)
        await say(socket, op="subscribe", sensors=[one["id"], other["id"]])
        await socket.send_json({"op": "unsubscribe", "sensors": [one["id"]]})
        assert (await say(socket, op="ping"))["op"] == "pong"
        for each in (one, other):
            await send(device(each), {"samples": [{"t": time.time(), "v": 1.0}]})
        assert [s["sensor_id"] for s in await gather(socket, 1)] == [other["id"]]


class TestVectors:
    AXIS: ClassVar = {"quantity": "frequency", "unit": "Hz", "step": 1.0, "count": 2}

    async def test_the_newest_follows_the_headlines(
        self, watch: Watch, owner: Caller, sensor: Make, device: Device
    ) -> None:
        one = await sensor(axis=self.AXIS)
        socket = await watch(owner)
        await say(socket, op="subscribe", sensors=[one["id"]], encoding="json")
        now = round(time.time(), 3)
        await send(device(one), {"samples": [{"t": now, "v": [1, 2]}, {"t": now - 1, "v": [3, 4]}]})
        assert (await gather(socket, 2))[0]["raw"] == [2.0, 4.0]
        newest = {"sensor_id": one["id"], "t": now, "raw": [1.0, 2.0], "physical": [3.0, 5.0], "status": "ok"}
        assert await hear(socket) == {"op": "vectors", "vectors": [newest]}

    async def test_a_viewer_gets_no_raw(self, watch: Watch, viewer: Caller, sensor: Make, device: Device) -> None:
        one = await sensor(axis=self.AXIS)
        socket = await watch(viewer)
        await say(socket, op="subscribe", sensors=[one["id"]])
        await send(device(one), {"samples": [{"t": time.time(), "v": [1, 2]}]})
        await gather(socket, 1)
        (shown,) = (await hear(socket))["vectors"]
        assert ("raw" in shown, shown["physical"]) == (False, [3.0, 5.0])
