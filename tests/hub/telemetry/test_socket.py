"""Telemetry over a WebSocket: who may send, acknowledgements in order, limits that pause, and tokens that end it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Union

import msgspec
import numpy as np
import orjson
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient
from pydantic import Field, TypeAdapter

from hub.journal.service import JOURNAL
from hub.kit.context import HUB
from hub.telemetry import conveyor, socket
from hub.telemetry.fabric import FABRIC
from hub.telemetry.socket_models import SaidOverSocket
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

Connect = Callable[..., Awaitable[ClientWebSocketResponse]]


@pytest.fixture
async def connect(client: TestClient[Any, Any]) -> AsyncIterator[Connect]:
    """Open a socket with the token of a device in its header, and hear that it is ready."""
    opened: list[ClientWebSocketResponse] = []

    async def open_one(device: dict[str, Any], path: str = "/telemetry") -> ClientWebSocketResponse:
        one = await client.ws_connect(path, headers={"Authorization": f"Bearer {device['token']}"})
        opened.append(one)
        assert (await heard(one))["op"] == "ready"
        return one

    yield open_one
    for one in opened:
        await one.close()


SAID: TypeAdapter[Any] = TypeAdapter(Annotated[Union[SaidOverSocket], Field(discriminator="op")])  # noqa: UP007 - a tuple


async def heard(one: ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next message, which must be one of those that are documented."""
    message = await one.receive_json(timeout=10)
    SAID.validate_python(message)
    return message


def packet(*values: float, start: float | None = None, **fields: Any) -> dict[str, Any]:
    first = time.time() - 10 if start is None else start
    return {"samples": [{"t": first + i * 0.001, "v": v} for i, v in enumerate(values)]} | fields


class TestWho:
    async def test_nobody_without_a_token(self, client: TestClient[Any, Any], anonymous: Caller) -> None:
        assert (await anonymous.get("/telemetry")).code == "unauthenticated"
        with pytest.raises(WSServerHandshakeError, match="401"):
            await client.ws_connect("/telemetry", headers={"Authorization": "Bearer etps_wrong"})

    @pytest.mark.parametrize("message", ['{"op":"auth","token":"etps_wrong"}', '{"op":"ping"}', '{"samples":[]}', "x"])
    async def test_the_first_message_must_say_who(self, client: TestClient[Any, Any], message: str) -> None:
        one = await client.ws_connect("/telemetry")
        await one.send_str(message)
        said = await heard(one)
        assert (said["op"], said["status"]) == ("problem", 401)
        assert (await one.receive(timeout=5)).type is WSMsgType.CLOSE
        assert one.close_code == socket.CLOSE_REFUSED

    async def test_who_says_nothing_is_sent_away(
        self, client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "AUTH_TIMEOUT_S", 0.05)
        one = await client.ws_connect("/telemetry")
        assert (await heard(one))["status"] == 401

    async def test_browsers_say_it_in_a_message(self, client: TestClient[Any, Any], sensor: Make) -> None:
        one = await client.ws_connect("/api/v1/telemetry")
        await one.send_json({"op": "auth", "token": (await sensor())["token"]})
        assert (await heard(one))["op"] == "ready"
        await one.send_json(packet(1.0))
        assert (await heard(one))["accepted"] == 1

    async def test_pages_of_other_sites_may_not(self, client: TestClient[Any, Any], sensor: Make) -> None:
        headers = {"Authorization": f"Bearer {(await sensor())['token']}", "Origin": "https://evil.example"}
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect("/telemetry", headers=headers)

    async def test_plain_requests_are_told(self, sensor: Make, device: Device) -> None:
        answer = await device(await sensor()).get("/telemetry")
        assert (answer.status, answer.code) == (426, "web-socket-wanted")


class TestBatches:
    async def test_each_is_acknowledged_in_order(self, connect: Connect, sensor: Make, stored: Wait) -> None:
        made = await sensor()
        one = await connect(made)
        start = time.time() - 60
        for i in range(100):
            body = packet(float(i), start=start + i, batch_id=f"b{i}")
            await (one.send_str(orjson.dumps(body).decode()) if i % 2 else one.send_bytes(msgspec.msgpack.encode(body)))
        said = [await heard(one) for _ in range(100)]
        assert [(m["op"], m["n"], m["batch_id"], m["accepted"]) for m in said] == [
            ("ack", i + 1, f"b{i}", 1) for i in range(100)
        ]
        assert (await stored(made))["stored"] == 100

    async def test_bits_are_those_of_a_post(
        self, connect: Connect, sensor: Make, device: Device, owner: Caller, stored: Wait
    ) -> None:
        values = [*np.random.default_rng(3).standard_normal(40).tolist(), -0.0, 5e-324, 1.7e308]
        start = round(time.time() - 10, 3)
        posted, text, binary = [await sensor() for _ in range(3)]
        await send(device(posted), packet(*values, start=start))
        await (await connect(text)).send_json(packet(*values, start=start))
        await (await connect(binary)).send_bytes(msgspec.msgpack.encode(packet(*values, start=start)))
        read: list[Any] = []
        for each in (posted, text, binary):
            await stored(each)
            found = (await owner.get(f"/sensors/{each['id']}/samples?from={start - 1:.0f}&to={start + 9:.0f}")).ok
            read.append((found["t"], np.array(found["raw"]).tobytes(), found["physical"]))
        assert read[0][1] == np.array(values).tobytes()
        assert read[0] == read[1] == read[2]

    async def test_a_bad_one_costs_no_other(self, connect: Connect, sensor: Make, stored: Wait) -> None:
        made = await sensor()
        one = await connect(made)
        await one.send_str("{")
        await one.send_json({"samples": 1})
        await one.send_json(packet(*[1.0] * 10_001))
        await one.send_json({"samples": [{"t": time.time(), "v": None}]})
        await one.send_json(packet(1.0))
        said = [await heard(one) for _ in range(5)]
        assert [(m["op"], m["n"], m.get("status")) for m in said] == [
            ("problem", 1, 400),
            ("problem", 2, 422),
            ("problem", 3, 413),
            ("ack", 4, None),
            ("ack", 5, None),
        ]
        assert said[3]["rejected"][0]["code"] == "value-missing"
        assert (await stored(made))["stored"] == 1

    async def test_an_edge_agent_sends_for_its_sensors(self, connect: Connect, sensor: Make, agent: Make) -> None:
        one, edge = await sensor(), await agent(default=True)
        link = await connect(edge)
        await link.send_json({"series": [{"sensor_id": one["id"], "t": [time.time()], "v": [1.0]}]})
        assert (await heard(link))["accepted"] == 1

    async def test_a_meta_with_op_is_no_control_message(self, connect: Connect, sensor: Make) -> None:
        one = await connect(await sensor())
        await one.send_str(f'{{"samples":[{{"meta":{{"op":"ping"}},"t":{time.time()},"v":1}}]}}')
        assert (await heard(one))["op"] == "ack"

    async def test_a_message_over_the_limit_closes(self, connect: Connect, sensor: Make) -> None:
        one = await connect(await sensor())
        with contextlib.suppress(ConnectionError):  # it closes while this is still being sent
            await one.send_str(" " * (9 << 20))
        assert (await one.receive(timeout=10)).type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR}
        other = await connect(await sensor())
        await other.send_json(packet(1.0))
        assert (await heard(other))["op"] == "ack"


class TestFlow:
    async def test_reading_stops_while_too_much_is_unacknowledged(
        self, connect: Connect, sensor: Make, app: web.Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conveyor, "MOST_BYTES", 100_000)
        one = await connect(await sensor(limits={"samples_per_s": 1e6}))
        appends, go = 0, asyncio.Event()
        (appender,) = app[FABRIC].appenders
        real = appender.append

        async def slow(*arguments: Any, **more: Any) -> Any:
            nonlocal appends
            appends += 1
            await go.wait()
            return await real(*arguments, **more)

        monkeypatch.setattr(appender, "append", slow)  # as a disk that is slow
        start = time.time() - 600
        bodies = [packet(*[0.5] * 1000, start=start + 2 * i) for i in range(40)]  # some 37 kB each
        sending = asyncio.create_task(_send_all(one, bodies))
        async with asyncio.timeout(5):
            while appends < 3:  # noqa: ASYNC110 - counted by the appender
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert appends <= 4
        go.set()
        said = [await heard(one) for _ in bodies]
        assert [m["accepted"] for m in said] == [1000] * 40
        await sending

    async def test_over_the_limit_reading_pauses_and_nothing_is_lost(
        self, connect: Connect, sensor: Make, owner: Caller, stored: Wait, app: web.Application
    ) -> None:
        made = await sensor(limits={"samples_per_s": 400})
        one = await connect(made)
        start = time.time() - 60
        for i in range(4):
            await one.send_json(packet(*[float(i)] * 200, start=start + i))
        began = time.monotonic()
        said = []
        while len([m for m in said if m["op"] == "ack"]) < 4:
            said.append(await heard(one))
        pauses = [m["retry_after_s"] for m in said if m["op"] == "limited"]
        assert all(0 < pause_s <= 0.6 for pause_s in pauses)
        assert 1 <= len(pauses) <= 2
        assert time.monotonic() - began > 0.3
        assert (await stored(made))["stored"] == 800
        await app[JOURNAL].flush()
        (entry,) = (await owner.get(f"/sensors/{made['id']}/journal")).ok["items"]
        assert entry["kind"] == "rate_limited"

    async def test_a_batch_that_waits_is_not_asked_for_again(
        self, connect: Connect, sensor: Make, stored: Wait, owner: Caller, app: web.Application
    ) -> None:
        """Whoever did what the answer of a POST says would have it stored twice."""
        made = await sensor(limits={"samples_per_s": 100})
        one = await connect(made)
        await one.send_json(packet(*[1.0] * 120))
        await one.send_json({"samples": [{"v": 77.0}]})  # its time is its arrival: a repeat would be another sample
        said = [await heard(one) for _ in range(3)]
        assert {m["n"] for m in said if m["op"] == "ack"} == {1, 2}
        (pause,) = [m for m in said if m["op"] == "limited"]
        rate = f"100 a second are taken of sensor {made['id']}."
        waits = f"Batch 2 waits here and is acknowledged later: do not send it again. {rate}"
        assert (pause["n"], pause["detail"]) == (2, waits)
        assert (await stored(made))["stored"] == 121
        await app[JOURNAL].flush()
        (entry,) = (await owner.get(f"/sensors/{made['id']}/journal")).ok["items"]
        assert entry["details"]["detail"] == waits

    async def test_requests_are_not_what_is_limited(self, connect: Connect, sensor: Make) -> None:
        one = await connect(await sensor(limits={"requests_per_s": 0.1, "burst": 1}))
        for _ in range(20):
            await one.send_json(packet(1.0))
        assert {(await heard(one))["op"] for _ in range(20)} == {"ack"}


async def _send_all(one: ClientWebSocketResponse, bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        await one.send_str(orjson.dumps(body).decode())


class TestEnd:
    async def test_a_rotated_token_ends_it_within_a_second(
        self, connect: Connect, sensor: Make, owner: Caller, app: web.Application, db: Any
    ) -> None:
        made = await sensor()
        one = await connect(made)
        await one.send_json(packet(1.0))
        assert (await heard(one))["op"] == "ack"
        await db.execute("update sensor set token_digest = 'other'")
        began = time.monotonic()
        said = await heard(one)
        assert (said["op"], said["status"]) == ("problem", 401)
        assert (await one.receive(timeout=5)).type is WSMsgType.CLOSE
        assert time.monotonic() - began < 1.2
        assert one.close_code == socket.CLOSE_REFUSED

    async def test_a_deleted_sensor_ends_it(self, connect: Connect, sensor: Make, owner: Caller) -> None:
        made = await sensor()
        one = await connect(made)
        await owner.delete(f"/sensors/{made['id']}")
        assert (await heard(one))["op"] == "problem"

    async def test_it_ends_while_a_limit_holds_it_up(self, connect: Connect, sensor: Make, db: Any) -> None:
        one = await connect(await sensor(limits={"samples_per_s": 0.1}))
        for _ in range(2):
            await one.send_json(packet(*[1.0] * 100))
        assert {(await heard(one))["op"] for _ in range(2)} == {"ack", "limited"}
        await db.execute("update sensor set token_digest = 'other'")
        assert (await heard(one))["op"] == "problem"

    async def test_a_new_token_goes_on(self, connect: Connect, sensor: Make, app: web.Application, db: Any) -> None:
        made, other = await sensor(), await sensor()
        one = await connect(made)
        fresh = app[HUB].keys.digest("a fresh token of the same sensor")
        await db.execute(
            """
            update sensor
            set old_token_digest = token_digest, old_token_until = now() + interval '1 s', token_digest = $1
            where id = $2::text::uuid
            """,
            fresh,
            made["id"],
        )
        await one.send_json({"op": "auth", "token": other["token"]})
        assert (await heard(one))["status"] == 401
        await one.send_json({"op": "auth", "token": "a fresh token of the same sensor"})
        assert (await heard(one))["op"] == "ready"
        await asyncio.sleep(1.5)
        await one.send_json(packet(1.0))
        assert (await heard(one))["op"] == "ack"

    async def test_silence_ends_it(
        self, connect: Connect, sensor: Make, monkeypatch: pytest.MonkeyPatch, client: TestClient[Any, Any]
    ) -> None:
        monkeypatch.setattr(socket, "SILENCE_S", 0.1)
        one = await connect(await sensor())
        assert (await one.receive(timeout=5)).type is WSMsgType.CLOSE

    async def test_answers_to_pings_are_no_silence(
        self, connect: Connect, sensor: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "SILENCE_S", 0.3)
        monkeypatch.setattr(socket, "PING_S", 0.05)
        one = await connect(await sensor())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await one.receive()
        await one.send_json(packet(1.0))
        assert (await heard(one))["op"] == "ack"


class TestSignsOfLife:
    async def test_a_heartbeat_without_samples(
        self, connect: Connect, sensor: Make, agent: Make, owner: Caller
    ) -> None:
        made, other, edge = await sensor(), await sensor(), await agent()
        await owner.patch(f"/sensors/{other['id']}", {"agent_id": edge["id"]})
        for link, message, heard_of in (
            (await connect(made), {"op": "heartbeat"}, made),
            (await connect(edge), {"op": "heartbeat", "sensor_id": other["id"]}, other),
        ):
            assert (await owner.get(f"/sensors/{heard_of['id']}")).ok["state"] == "unknown"
            await link.send_json(message)
            said = await heard(link)
            assert said["op"] == "heartbeat"
            assert abs(said["now"] - time.time()) < 5
            assert (await owner.get(f"/sensors/{heard_of['id']}")).ok["state"] == "online"

    async def test_nobody_speaks_for_another(self, connect: Connect, sensor: Make, agent: Make) -> None:
        made, other, edge = await sensor(), await sensor(), await agent()
        for link, message in (
            (await connect(made), {"op": "heartbeat", "sensor_id": other["id"]}),
            (await connect(edge), {"op": "heartbeat"}),
        ):
            await link.send_json(message)
            said = await heard(link)
            assert (said["op"], said["status"]) == ("problem", 403)

    @pytest.mark.parametrize("message", ['{"op":"dance"}', '{"op":7}', '{"op":"heartbeat","sensor_id":"x"}'])
    async def test_what_is_no_message_is_told(self, connect: Connect, sensor: Make, message: str) -> None:
        one = await connect(await sensor())
        await one.send_str(message)
        assert (await heard(one))["op"] == "problem"
        await one.send_json({"op": "ping"})
        assert (await heard(one))["op"] == "pong"
