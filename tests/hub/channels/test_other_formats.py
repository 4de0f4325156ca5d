"""SenML and ThingsBoard's device API over HTTP, with what their documentation shows."""

import time
from typing import Any

import pytest
from aiohttp import web

from hub.kit.context import HUB
from hub.settings import Settings
from tests.hub.callers import Answer, Caller
from tests.hub.channels.conftest import SENSOR, Proposals, Wait, samples_of
from tests.hub.conftest import Device, Make

SENML = "application/senml+json"


async def pack(caller: Caller, body: Any, **headers: str) -> Answer:
    """Post a SenML pack."""
    return await caller.post("/senml", body, **({"Content_Type": SENML} | headers))


async def post(caller: Caller, body: Any, token: str | None = None, **headers: str) -> Answer:
    """Post telemetry as a device of ThingsBoard does."""
    return await Caller(caller.client).post(f"/{caller.token if token is None else token}/telemetry", body, **headers)


class TestSenml:
    async def test_without_a_token_nothing_is_taken(self, anonymous: Caller) -> None:
        answer = await pack(anonymous, [{"n": "x", "v": 1}])
        assert (answer.status, answer.code) == (401, "unauthenticated")

    async def test_the_pack_of_the_rfc(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        """RFC 8428, section 5.1.3, but now."""
        now = time.time()
        records = [
            {"bn": "urn:dev:ow:10e2073a01080063:", "bt": now, "bu": "%RH", "v": 21.2},
            {"t": -10, "v": 21.3},
            {"u": "lon", "v": 24.30621},
            {"u": "lat", "v": 60.07965},
            {"t": -60, "v": 20.7},
        ]
        answer = await pack(gateway, records)
        assert (answer.status, answer.body) == (
            202,
            {"accepted": 0, "duplicates": 0, "proposed": 5, "ignored": 0, "rejected": []},
        )
        page = (await owner.get(f"/projects/{(await owner.get('/projects')).ok['items'][0]['id']}/proposals")).ok
        channels = {item["unit"]: item for item in page["items"]}
        assert set(channels) == {"%RH", "lon", "lat"}
        assert {item["name"] for item in page["items"]} == {"urn:dev:ow:10e2073a01080063:"}
        body = {"sensor": SENSOR | {"input_unit": "%", "type": "humidity"}}
        sensor = (await owner.post(f"/proposals/{channels['%RH']['id']}/accept", body)).ok["sensor"]
        assert (await settled(sensor["id"], 3))["stored"] == 3
        assert (await samples_of(owner, sensor["id"]))["raw"] == [20.7, 21.3, 21.2]
        again = await pack(gateway, records[:2])
        assert (again.body["accepted"], again.body["proposed"]) == (2, 0)
        assert (await settled(sensor["id"], 5))["duplicates"] == 2

    async def test_refusals(self, gateway: Caller) -> None:
        answer = await pack(gateway, [{"n": "a", "v": 1}, {"n": "a!", "v": 1}, {"n": "a", "vs": "text"}])
        assert answer.status == 202
        assert [(one["index"], one["code"]) for one in answer.body["rejected"]] == [
            (1, "name-invalid"),
            (2, "value-not-a-number"),
        ]
        refused = await pack(gateway, [{"n": "a", "vs": "text"}])
        assert (refused.status, refused.code) == (422, "pack-refused")
        assert refused.body["errors"] == [{"loc": ["body", 0], "msg": "vs is kept by no sensor; send v or vb"}]
        assert (await pack(gateway, b"[")).code == "telemetry-broken"
        broken = await pack(gateway, [{"bver": 99, "n": "a", "v": 1}])
        assert (broken.code, broken.body["errors"][0]["loc"]) == ("invalid-payload", ["body", 0, "bver"])
        assert (await pack(gateway, [], Content_Type="text/csv")).code == "wrong-content-type"

    async def test_a_sensors_token(self, sensor: Make, device: Device, settled: Wait) -> None:
        made = await sensor()
        answer = await pack(device(made), [{"n": "urn:dev:mac:0024befffe804ff1", "u": "Cel", "v": 23.1}])
        assert (answer.status, answer.body["accepted"]) == (202, 1)
        assert (await settled(made["id"]))["stored"] == 1


class TestThingsboard:
    async def test_an_unknown_token(self, anonymous: Caller) -> None:
        answer = await post(anonymous, {"a": 1}, "etpe_unknown")
        assert (answer.status, set(answer.body)) == (401, {"status", "message"})

    async def test_what_the_documentation_shows(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        """The reference's examples: keys and values, with a client's time, and a list of both."""
        now_ms = time.time_ns() // 1_000_000
        bodies: list[Any] = [
            {"stringKey": "value1", "booleanKey": True, "doubleKey": 42.0, "longKey": 73, "jsonKey": {"someNumber": 1}},
            {"ts": now_ms - 2000, "values": {"longKey": 74}},
            [{"ts": now_ms - 1500, "values": {"longKey": 75}}, {"ts": now_ms - 1000, "values": {"longKey": "76"}}],
        ]
        for body in bodies:
            answer = await post(gateway, body)
            assert (answer.status, answer.body) == (200, b"")
        found = await proposals()
        assert set(found) == {"booleanKey", "doubleKey", "longKey"}
        path = f"/proposals/{found['longKey']['id']}/accept"
        sensor = (await owner.post(path, {"sensor": SENSOR})).ok["sensor"]
        assert (await settled(sensor["id"], 4))["stored"] == 4
        assert (await samples_of(owner, sensor["id"]))["raw"] == [74.0, 75.0, 76.0, 73.0]

    async def test_refusals(self, gateway: Caller) -> None:
        answer = await post(gateway, [{"a": 1}, {"a": None}, 5])
        assert answer.status == 400
        assert answer.body["status"] == 400
        assert "object 2: " in answer.body["message"]
        assert "object 3: " in answer.body["message"]
        for body in (b"{", b"[", b"7", b'{"a": NaN}'):
            answer = await post(gateway, body)
            assert (answer.status, answer.body["status"]) == (400, 400), body

    async def test_a_sensors_token(self, sensor: Make, device: Device, settled: Wait) -> None:
        made = await sensor()
        assert (await post(device(made), {"temperature": 21})).status == 200
        assert (await settled(made["id"]))["stored"] == 1

    async def test_the_token_is_in_no_log(self, gateway: Caller, capsys: pytest.CaptureFixture[str]) -> None:
        token = "canary-5d1f8a7be24c96033f"
        for suffix in ("telemetry", "attributes", "rpc", "telemetry?x=1"):
            for method in ("GET", "POST"):
                await gateway.call(method, f"/{token}/{suffix}", b"{}" if method == "POST" else None)
        await post(gateway, {"a": 1})
        written = capsys.readouterr().out
        assert "/api/v1/***/telemetry" in written
        assert "/api/v1/***/attributes" in written
        assert token not in written
        assert gateway.token is not None
        assert gateway.token not in written

    class TestSwitchedOff:
        @pytest.fixture
        def settings(self, settings: Settings) -> Settings:
            return settings.model_copy(update={"tokens_in_addresses": False})

        async def test_no_token_is_looked_at(self, gateway: Caller, app: web.Application) -> None:
            assert app[HUB].settings.tokens_in_addresses is False
            for token in (gateway.token, "unknown"):
                answer = await post(gateway, {"a": 1}, token)
                assert answer.status == 403
                assert "ETP_TOKENS_IN_ADDRESSES" in answer.body["message"]
