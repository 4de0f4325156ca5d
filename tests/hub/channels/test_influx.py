"""Line protocol over HTTP: what Telegraf and other clients of InfluxDB send, and what they are answered."""

import asyncio
import base64
import gzip
import time
from typing import Any

import pytest

from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.channels.conftest import SENSOR, Proposals, Wait, now_ns, samples_of, write
from tests.hub.conftest import Device, Make
from tests.hub.races import until

BOTH = pytest.mark.parametrize("path", ["/api/v2/write", "/write"])


@pytest.fixture
async def known(gateway: Caller, proposals: Proposals, owner: Caller) -> dict[str, Any]:
    """A sensor that is the channel `bath/inlet` of the gateway."""
    await write(gateway, f"bath inlet=0 {now_ns()}")
    proposal = (await proposals())["bath/inlet"]
    return (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]


def message(body: Any) -> str:
    """The text of a refusal, in the shape of either version."""
    assert set(body) in ({"code", "message"}, {"error"}), body
    return body.get("message") or body["error"]


class TestToken:
    @BOTH
    async def test_without_one_nothing_is_taken(self, anonymous: Caller, path: str) -> None:
        answer = await write(anonymous, "m v=1", path=path)
        assert (answer.status, set(answer.body)) == (401, {"code", "message"} if "v2" in path else {"error"})

    @BOTH
    @pytest.mark.parametrize("scheme", ["Token {}", "token  {}", "Bearer {}", "Token any:{}", "basic"])
    async def test_any_header_that_such_clients_send(
        self, gateway: Caller, anonymous: Caller, scheme: str, path: str
    ) -> None:
        basic = base64.b64encode(f"telegraf:{gateway.token}".encode()).decode()
        header = f"Basic {basic}" if scheme == "basic" else scheme.format(gateway.token)
        assert (await write(anonymous, f"m v=1 {now_ns()}", path=path, Authorization=header)).status == 204

    @pytest.mark.parametrize("header", ["Token", "Token ", "Basic !!", "Basic gA==", "Digest x", "Token etpe_unknown"])
    async def test_anything_else_is_refused(self, anonymous: Caller, header: str) -> None:
        answer = await write(anonymous, "m v=1", Authorization=header)
        assert (answer.status, answer.body["code"]) == (401, "unauthorized")

    async def test_not_in_the_query(self, gateway: Caller, anonymous: Caller) -> None:
        answer = await write(anonymous, "m v=1", path=f"/write?db=x&u=telegraf&p={gateway.token}")
        assert answer.status == 401
        assert "basic authentication" in answer.body["error"]

    @BOTH
    async def test_not_a_users(self, owner: Caller, path: str) -> None:
        assert (await write(owner, "m v=1", path=path)).status == 401


class TestWrite:
    @BOTH
    @pytest.mark.parametrize(("precision", "unit"), [("", 1), ("ns", 1), ("us", 1000), ("ms", 10**6), ("s", 10**9)])
    async def test_precisions(
        self, gateway: Caller, known: dict[str, Any], owner: Caller, settled: Wait, precision: str, unit: int, path: str
    ) -> None:
        t = int(time.time()) * 10**9
        query = f"?bucket=b&org=o&precision={precision}" if precision else "?db=telegraf&rp="
        assert (await write(gateway, f"bath inlet=7 {t // unit}", path=path + query)).status == 204
        await settled(known["id"], 2)
        read = await samples_of(owner, known["id"])
        assert (t / 1e9, 7.0) in zip(read["t"], read["raw"], strict=True)

    @BOTH
    async def test_gzip(self, gateway: Caller, known: dict[str, Any], settled: Wait, path: str) -> None:
        body = gzip.compress(f"bath inlet=8 {now_ns()}".encode())
        assert (await gateway.call("POST", path, body, Content_Encoding="gzip")).status == 204
        assert (await settled(known["id"], 2))["stored"] == 2

    @BOTH
    async def test_a_body_that_is_empty(self, gateway: Caller, path: str) -> None:
        assert (await write(gateway, path=path)).status == 204

    async def test_without_a_time_it_is_the_arrivals(
        self, gateway: Caller, known: dict[str, Any], owner: Caller, settled: Wait
    ) -> None:
        assert (await write(gateway, "bath inlet=9", "other v=1")).status == 204
        await settled(known["id"], 2)
        assert abs((await samples_of(owner, known["id"]))["t"][-1] - time.time()) < 60

    async def test_known_and_unknown_in_one_body(
        self, gateway: Caller, known: dict[str, Any], proposals: Proposals, settled: Wait
    ) -> None:
        assert (await write(gateway, f"bath inlet=1,outlet=2 {now_ns()}")).status == 204
        assert (await settled(known["id"], 2))["stored"] == 2
        assert set(await proposals()) == {"bath/outlet"}

    async def test_what_the_documentation_shows(self, gateway: Caller, proposals: Proposals) -> None:
        lines = (
            'myMeasurement,tag1=value1,tag2=value2 fieldKey="fieldValue" 1556813561098000000',
            "airSensors,sensorId=A0100,station=Harbor humidity=35.0658,temperature=21.667 1556813561098000000",
            "weather,location=us-midwest temperature=82 1465839830100400200",
            r"my\ Measurement fieldKey=1i",
            "myMeasurementName fieldKey=true 1556892576842902000",
        )
        assert (await write(gateway, *lines)).status == 204
        assert set(await proposals()) == {
            "airSensors,sensorId=A0100,station=Harbor/humidity",
            "airSensors,sensorId=A0100,station=Harbor/temperature",
            "weather,location=us-midwest/temperature",
            r"my\ Measurement/fieldKey",
            "myMeasurementName/fieldKey",
        }


class TestRefusals:
    @BOTH
    async def test_lines_are_named_and_the_others_taken(
        self, gateway: Caller, known: dict[str, Any], settled: Wait, path: str
    ) -> None:
        t = now_ns()
        lines = (f"bath inlet=1 {t}", "bath inlet", f"bath inlet=2 {t + 1_000_000}", f"bath inlet=x {t}")
        answer = await write(gateway, *lines, path=path)
        assert answer.status == 400
        assert "partial write" in message(answer.body)
        assert "dropped=2" in message(answer.body)
        assert "line 2: " in message(answer.body)
        assert "line 4: " in message(answer.body)
        ledger = await settled(known["id"], 4)
        assert (ledger["stored"], ledger["rejected"]) == (3, 1), "the value of a known channel is booked as rejected"

    @BOTH
    async def test_texts_are_no_fault(self, gateway: Caller, known: dict[str, Any], settled: Wait, path: str) -> None:
        answer = await write(gateway, f'bath inlet=1,state="on" {now_ns()}', f'bath inlet="off" {now_ns()}', path=path)
        assert answer.status == 204
        assert (await settled(known["id"], 3))["rejected"] == 1

    async def test_times_that_cannot_be_taken(self, gateway: Caller, known: dict[str, Any]) -> None:
        answer = await write(gateway, "# comment", f"bath inlet=1 {now_ns() + 2 * 3600 * 10**9}", "bath inlet=1 1")
        assert answer.status == 400
        assert "line 2: more than an hour ahead" in answer.body["message"]
        assert "line 3: older than the retention" in answer.body["message"]

    @BOTH
    async def test_two_without_a_time(self, gateway: Caller, path: str) -> None:
        answer = await write(gateway, "m v=1", "m v=2", path=path)
        assert answer.status == 400
        assert "lack a time" in message(answer.body)

    @BOTH
    @pytest.mark.parametrize("query", ["?precision=fortnight", "?precision=s&precision=ms"])
    async def test_a_query_that_cannot_be_read(self, gateway: Caller, path: str, query: str) -> None:
        answer = await write(gateway, "m v=1", path=path + query)
        assert answer.status == 400
        assert "precision" in message(answer.body) or "twice" in message(answer.body)

    @BOTH
    async def test_a_body_that_does_not_unpack(self, gateway: Caller, path: str) -> None:
        answer = await write(gateway, "m v=1", path=path, Content_Encoding="gzip")
        assert answer.status == 400
        assert "decompress" in message(answer.body)

    async def test_names_of_many_are_left_out(self, gateway: Caller) -> None:
        answer = await write(gateway, *("x" for _ in range(30)))
        assert "and 20 more" in answer.body["message"]
        assert len(answer.body["message"]) < 3000


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_samples_per_packet": 10, "max_packet_bytes": 4000})

    async def test_too_many_samples(self, gateway: Caller, known: dict[str, Any], owner: Caller, settled: Wait) -> None:
        """Version 2's clients send halves after 413; version 1's would drop everything, so all of it is taken."""
        t = now_ns()
        lines = [f"bath inlet={i},outlet={i} {t + i * 1_000_000}" for i in range(25)]
        answer = await write(gateway, *lines)
        assert (answer.status, answer.body["code"]) == (413, "request too large")
        assert (await write(gateway, *lines, path="/write")).status == 204
        assert (await settled(known["id"], 26))["stored"] == 26
        assert (await samples_of(owner, known["id"]))["raw"][-25:] == [float(i) for i in range(25)]

    async def test_more_than_any_batch_has(self, gateway: Caller) -> None:
        assert (await write(gateway, *("m v=1 1" for _ in range(201)), path="/write")).status == 413

    @BOTH
    async def test_too_many_bytes(self, gateway: Caller, path: str) -> None:
        answer = await write(gateway, *(f"m v={i} {i}" for i in range(1000)), path=path)
        assert answer.status == 413
        assert message(answer.body)

    async def test_a_bomb_does_not_unfold(self, gateway: Caller) -> None:
        answer = await gateway.call("POST", "/write", gzip.compress(b"\n" * 10_000_000), Content_Encoding="gzip")
        assert answer.status == 413


class TestFirstQuestions:
    async def test_ping_and_health(self, anonymous: Caller) -> None:
        answer = await anonymous.get("/ping")
        assert (answer.status, answer.headers["X-Influxdb-Version"][:2]) == (204, "2.")
        assert (await anonymous.get("/health")).ok["status"] == "pass"

    @pytest.mark.parametrize("statement", ['CREATE DATABASE "telegraf"', "create database x with duration 3d;"])
    async def test_a_database_is_created(self, gateway: Caller, anonymous: Caller, statement: str) -> None:
        body = f"q={statement}".encode()
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert (await gateway.call("POST", "/query", body, **form)).ok == {"results": [{"statement_id": 0}]}
        assert (await gateway.call("POST", f"/query?q={statement}")).ok == {"results": [{"statement_id": 0}]}
        assert (await anonymous.call("POST", "/query", body, **form)).status == 401

    async def test_databases(self, gateway: Caller) -> None:
        (found,) = (await gateway.get("/query?q=SHOW DATABASES&db=")).ok["results"]
        assert found["series"][0]["values"] == [["etp"]]

    @pytest.mark.parametrize(
        "statement", ["", "SELECT * FROM m", "DROP DATABASE x", "CREATE DATABASE a; DROP DATABASE b"]
    )
    async def test_nothing_else_is_answered(self, gateway: Caller, statement: str) -> None:
        answer = await gateway.get(f"/query?q={statement}")
        assert answer.status == 400
        assert "written here" in answer.body["error"]


async def test_a_large_batch(
    gateway: Caller, known: dict[str, Any], owner: Caller, settled: Wait, anonymous: Caller
) -> None:
    """What Telegraf sends after an hour without the hub; others are answered while it is read."""
    t = now_ns()
    lines = (
        f'bath,host=bench-{i % 7} inlet={i},on=true,state="a line"' if i % 3 else f"bath inlet={i}"
        for i in range(30_000)
    )
    body = "\n".join(f"{line} {t + i * 1000}" for i, line in enumerate(lines)).encode()
    assert len(body) > 1 << 20
    sending = asyncio.create_task(gateway.call("POST", "/write?db=telegraf", body))
    answered = 0
    while not sending.done():
        assert (await anonymous.get("/healthz")).status == 200
        answered += 1
    assert (await sending).status == 204
    assert answered > 3
    assert (await settled(known["id"], 10_001))["stored"] == 10_001


async def test_what_is_refused_is_in_the_sensors_journal(sensor: Make, device: Device, owner: Caller) -> None:
    made = await sensor()
    assert (await write(device(made), "m v=1", path="/write", Content_Encoding="gzip")).status == 400

    async def noted() -> bool:
        return [entry["kind"] for entry in (await owner.get(f"/sensors/{made['id']}/journal")).ok["items"]] == [
            "packet_refused"
        ]

    await until(noted)


async def test_a_sensors_token(sensor: Make, device: Device, settled: Wait, owner: Caller) -> None:
    made = await sensor()
    assert (await write(device(made), f"esp,room=2 temp=1.5 {now_ns()}", path="/write")).status == 204
    assert (await settled(made["id"]))["stored"] == 1
    assert (await samples_of(owner, made["id"]))["physical"] == [4.0]


class TestTooFast:
    @pytest.mark.parametrize(("path", "status"), [("/api/v2/write", 429), ("/write", 503)])
    async def test_who_sends_too_fast_keeps_the_body_and_comes_again(
        self, known: dict[str, Any], owner: Caller, gateway: Caller, path: str, status: int
    ) -> None:
        limits = {"limits": {"samples_per_s": 0.5}}
        assert (await owner.call("PATCH", f"/sensors/{known['id']}", limits)).ok
        body = [f"bath inlet={i} {now_ns() + i * 1_000_000}" for i in range(3)]

        async def refused() -> bool:
            answer = await write(gateway, *body, path=path)
            assert answer.status in {204, status}
            return answer.status == status

        await until(refused)
        answer = await write(gateway, *body, path=path)
        assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (status, True)
        assert "send it again" in message(answer.body)
