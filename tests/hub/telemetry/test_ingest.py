"""POST /telemetry: what is taken, what is refused, and what the refusal says."""

import gzip
import io
import time
import uuid
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send, zipped


@pytest.fixture
def now() -> float:
    """A time that is a whole number of milliseconds."""
    return round(time.time(), 3)


async def samples_of(caller: Caller, sensor: dict[str, Any], start: float) -> dict[str, Any]:
    """Read everything of a sensor around a time."""
    times = {"from": _rfc(start - 60), "to": _rfc(start + 60)}
    return (await caller.get(f"/sensors/{sensor['id']}/samples?from={times['from']}&to={times['to']}")).ok


def _rfc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class TestToken:
    async def test_without_a_token_nothing_is_taken(self, anonymous: Caller) -> None:
        answer = await send(anonymous, {"samples": [{"t": 1, "v": 1}]})
        assert (answer.status, answer.code) == (401, "unauthenticated")

    async def test_a_wrong_token_is_named(self, client: Any) -> None:
        answer = await send(Caller(client, "etps_wrong"), {"samples": [{"t": 1, "v": 1}]})
        assert (answer.status, answer.code) == (401, "token-unknown")

    async def test_a_sensor_cannot_send_for_another(self, sensor: Make, device: Device, now: float) -> None:
        mine, other = await sensor(), await sensor()
        answer = await send(device(mine), {"sensor_id": other["id"], "samples": [{"t": now, "v": 1}]})
        assert answer.status == 422
        assert answer.body["rejected"][0]["code"] == "sensor-unknown"

    async def test_an_edge_agent_sends_for_its_sensors_only(
        self, sensor: Make, agent: Make, device: Device, now: float
    ) -> None:
        mine = await sensor()
        edge = await agent(default=True)
        body = {
            "series": [
                {"sensor_id": mine["id"], "t": [now], "v": [1.0]},
                {"sensor_id": str(uuid.uuid4()), "t": [now, now + 1], "v": [1.0, 2.0]},
            ]
        }
        answer = await send(device(edge), body)
        assert (answer.status, answer.body["accepted"]) == (202, 1)
        assert [(r["series"], r["index"], r["code"]) for r in answer.body["rejected"]] == [(1, None, "sensor-unknown")]


class TestForms:
    async def test_rows_are_stored_raw_and_physical(
        self, sensor: Make, device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        body = {"batch_id": "b1", "samples": [{"t": now, "v": 1.5}, {"t": now + 0.000001, "v": -0.0}]}
        answer = await send(device(one), body)
        assert answer.status == 202
        assert answer.body == {"batch_id": "b1", "accepted": 2, "duplicates": 0, "rejected": []}
        ledger = await stored(one)
        assert (ledger["received"], ledger["stored"]) == (2, 2)
        read = await samples_of(owner, one, now)
        assert read["raw"] == [1.5, -0.0]
        assert str(read["raw"][1]) == "-0.0"
        assert read["physical"] == [4.0, 1.0]
        assert read["status"] == ["ok", "ok"]

    async def test_columns_times_as_text_and_gzip(
        self, sensor: Make, agent: Make, device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        one, two = await sensor(), await sensor(profile=None)
        edge = await agent(default=True)
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".125001Z"
        series = [
            {"sensor_id": one["id"], "t": [text], "v": [0.5], "p": [2.0], "profile_version": 1},
            {"sensor_id": two["id"], "t": [now, now + 1], "v": [0.1, 0.2]},
        ]
        answer = await send(device(edge), zipped({"series": series}), Content_Encoding="gzip")
        assert (answer.status, answer.body["accepted"]) == (202, 3)
        await stored(one)
        await stored(two)
        assert round((await samples_of(owner, one, now))["t"][0] % 1, 6) == 0.125001
        bare = await samples_of(owner, two, now)
        assert (bare["physical"], bare["status"]) == ([None, None], ["no_profile", "no_profile"])

    async def test_differences_to_the_edge_are_counted(
        self, sensor: Make, agent: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        edge = await agent(default=True)
        await send(
            device(edge), {"series": [{"sensor_id": one["id"], "t": [now, now + 1], "v": [1, 2], "p": [3.0, 5.1]}]}
        )
        assert (await stored(one))["differing"] == 1

    async def test_meta_is_kept(self, sensor: Make, device: Device, stored: Wait, db: Any, now: float) -> None:
        one = await sensor()
        rows = [{"t": now, "v": 1}, {"t": now + 1, "v": 2, "meta": {"range": "low"}}]
        await send(device(one), {"samples": rows})
        await stored(one)
        records = await db.fetch("select raw_value, metadata from telemetry_record order by timestamp")
        assert [(r["raw_value"], r["metadata"]) for r in records] == [(1.0, None), (2.0, {"range": "low"})]

    async def test_a_lone_sample_without_a_time_gets_one_once(self, sensor: Make, device: Device, stored: Wait) -> None:
        one = await sensor()
        for expected in ((1, 0), (0, 1)):
            answer = await send(device(one), {"batch_id": "same", "samples": [{"v": 7.0}]})
            assert (answer.body["accepted"], answer.body["duplicates"]) == expected
        ledger = await stored(one)
        assert (ledger["stored"], ledger["duplicates"]) == (1, 1)


class TestArrival:
    """A sensor whose device has no clock: the first that has one sets the time, whatever token it comes with."""

    async def test_of_a_gateway_the_hub_s_time_counts(
        self, sensor: Make, agent: Make, device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        one = await sensor(time_source="arrival")
        gateway = device(await agent(default=True))
        for t, v in ((5, 9.0), (now - 50, 10.0)):
            answer = await send(gateway, {"series": [{"sensor_id": one["id"], "t": [t], "v": [v]}]})
            assert (answer.status, answer.body["accepted"]) == (202, 1)
        await stored(one)
        found = await samples_of(owner, one, now)
        assert found["raw"] == [9.0, 10.0]
        assert found["t"] == pytest.approx([time.time()] * 2, abs=10)

    async def test_several_of_a_batch_are_refused(self, sensor: Make, agent: Make, device: Device, now: float) -> None:
        one = await sensor(time_source="arrival")
        body = {"series": [{"sensor_id": one["id"], "t": [now, now + 1], "v": [1.0, 2.0]}]}
        answer = await send(device(await agent(default=True)), body)
        assert [reject["code"] for reject in answer.body["rejected"]] == ["time-missing"] * 2

    @pytest.mark.parametrize("converted", [{"profile_version": 0}, {"p": [3.0, 5.0]}])
    async def test_an_edge_agent_has_set_it_already(
        self, sensor: Make, agent: Make, device: Device, owner: Caller, stored: Wait, now: float, converted: Any
    ) -> None:
        one = await sensor(time_source="arrival")
        series = {"sensor_id": one["id"], "t": [now - 50, now - 49], "v": [1.0, 2.0]} | converted
        assert (await send(device(await agent(default=True)), {"series": [series]})).body["accepted"] == 2
        await stored(one)
        assert (await samples_of(owner, one, now))["t"] == [now - 50, now - 49]
        # The sensor's own token does not make it an agent.
        answer = await send(device(one), {"series": [series]})
        assert [reject["code"] for reject in answer.body["rejected"]] == ["time-missing"] * 2


class TestCount:
    """What an answer says adds up to what was sent."""

    async def test_of_a_whole_series(self, sensor: Make, agent: Make, device: Device, now: float) -> None:
        one, unknown = await sensor(), str(uuid.uuid4())
        body = {
            "series": [
                {"sensor_id": unknown, "t": [now, now + 1, now + 2, now + 3], "v": [1.0, 2.0, 3.0, None]},
                {"sensor_id": one["id"], "t": [now], "v": [1.0]},
            ]
        }
        answer = (await send(device(await agent(default=True)), body)).body
        found = [(reject["index"], reject["code"], reject.get("count")) for reject in answer["rejected"]]
        assert sorted(found, key=str) == [(3, "value-missing", None), (None, "sensor-unknown", 3)]
        assert answer["accepted"] + sum(reject.get("count", 1) for reject in answer["rejected"]) == 5

    async def test_of_lines(self, sensor: Make, device: Device, now: float) -> None:
        one, unknown = await sensor(), str(uuid.uuid4())
        series = {"sensor_id": unknown, "t": [now, now + 1, now + 2], "v": [None, 1.0, 2.0]}
        for lines, counts in (
            # Rows of several lines are one series.
            ([{"sensor_id": unknown, "samples": [{"t": now + i, "v": 1} for i in range(n)]} for n in (2, 3)], [2, 3]),
            ([{"series": [series]}, {"sensor_id": unknown, "samples": [{"t": now, "v": 1}]}], [1, 2, 1]),
        ):
            good = {"samples": [{"t": now, "v": 1.0}]}
            body = b"\n".join(map(orjson.dumps, [*lines, good]))
            answer = (await send(device(one), body, Content_Type="application/x-ndjson")).body
            assert sorted(reject.get("count", 1) for reject in answer["rejected"]) == sorted(counts)
            assert {reject["line"] for reject in answer["rejected"]} == {1, 2}
            assert answer["accepted"] == 1


class TestRepeats:
    async def test_repeats_count_once_and_both_values_at_one_time_are_kept(
        self, sensor: Make, device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        rows = [{"t": now, "v": 1.0}, {"t": now, "v": 2.0}, {"t": now, "v": 1.0}, {"t": now - 5, "v": 3.0}]
        answer = await send(device(one), {"samples": rows})
        assert (answer.body["accepted"], answer.body["duplicates"]) == (3, 1)
        await stored(one)
        await send(device(one), {"samples": [*rows, {"t": now - 7, "v": 3.0}]})
        ledger = await stored(one)
        assert (ledger["received"], ledger["stored"], ledger["duplicates"], ledger["late"]) == (9, 4, 5, 1)
        assert (await samples_of(owner, one, now))["raw"] == [3.0, 3.0, 1.0, 2.0]

    async def test_they_are_found_across_series_and_lines(
        self, sensor: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        series = {"t": [now, now + 1], "v": [1.0, 2.0]}
        lines = {"Content_Type": "application/x-ndjson"}
        numbered = [{"seq": number, "samples": [{"t": now + 2, "v": 3.0}]} for number in (1, 2)]
        for body, headers, expected in (
            ({"series": [series, series | {"sensor_id": one["id"], "v": [1.0, 3.0]}]}, {}, (3, 1)),
            (b"\n".join(orjson.dumps({"series": [series]}) for _ in range(3)), lines, (2, 4)),
            (b"\n".join(map(orjson.dumps, numbered)), lines, (1, 1)),
        ):
            answer = await send(device(one), body, **headers)
            assert (answer.body["accepted"], answer.body["duplicates"]) == expected
        assert (await stored(one))["stored"] == 4


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"{", 400, "telemetry-broken"),
            (b'{"samples":[{"t":1,"v":NaN}]}', 400, "telemetry-broken"),
            (b"[1]", 422, "invalid-payload"),
            (b'{"samples":[],"series":[]}', 422, "invalid-payload"),
            (b'{"series":[{"t":[1],"v":[]}]}', 422, "invalid-payload"),
            (b"\xff\xfe", 400, "telemetry-broken"),
            (b'{"samples":' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "telemetry-broken"),
        ],
    )
    async def test_a_body_of_another_shape(
        self, sensor: Make, device: Device, body: bytes, status: int, code: str
    ) -> None:
        answer = await send(device(await sensor()), body)
        assert (answer.status, answer.code) == (status, code)
        assert answer.body["instance"] == answer.headers["X-Request-ID"]

    async def test_a_bad_sample_never_costs_the_others(
        self, sensor: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        good = {"t": now, "v": 1.0}
        rows = [
            good,
            {"t": now + 1, "v": "warm"},
            {"t": now + 2, "v": None},
            {"t": 32503680000, "v": 1.0},  # the year 3000
            {"t": 86400, "v": 1.0},
            {"t": "yesterday", "v": 1.0},
            {"v": 1.0},
            {"v": 2.0},
            {"t": now + 3, "v": True},
        ]
        raw = orjson.dumps({"samples": rows}).replace(b'"v":null', b'"v":1e999')
        answer = await send(device(one), raw)
        assert (answer.status, answer.body["accepted"]) == (202, 1)
        assert [(r["index"], r["code"]) for r in sorted(answer.body["rejected"], key=lambda r: r["index"])] == [
            (1, "value-not-a-number"),
            (2, "value-not-finite"),
            (3, "time-future"),
            (4, "time-too-old"),
            (5, "time-invalid"),
            (6, "time-missing"),
            (7, "time-missing"),
            (8, "value-not-a-number"),
        ]
        ledger = await stored(one)
        assert (ledger["received"], ledger["stored"], ledger["rejected"]) == (9, 1, 8)

    async def test_all_bad_is_422_with_the_same_body(
        self, sensor: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        answer = await send(device(one), {"samples": [{"t": now, "v": None}]})
        assert (answer.status, answer.body["accepted"], answer.body["rejected"][0]["code"]) == (422, 0, "value-missing")
        assert (await stored(one))["rejected"] == 1

    async def test_too_many_samples(self, sensor: Make, device: Device, now: float) -> None:
        rows = [{"t": now, "v": i} for i in range(10_001)]
        answer = await send(device(await sensor()), {"samples": rows})
        assert (answer.status, answer.code) == (413, "packet-too-large")
        assert "10000 samples" in answer.body["detail"]

    async def test_a_body_of_50_mb(self, client: Any, sensor: Make) -> None:
        token = (await sensor())["token"]
        body = io.BytesIO(b"[" + b" " * 50_000_000 + b"]")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with client.post("/telemetry", data=body, headers=headers) as response:
            problem = await response.json(content_type="application/problem+json")
            assert (response.status, problem["type"].rpartition("/")[2]) == (413, "packet-too-large")

    async def test_a_gzip_bomb_never_unfolds(self, sensor: Make, device: Device) -> None:
        bomb = gzip.compress(b" " * 200_000_000)
        answer = await send(device(await sensor()), bomb, Content_Encoding="gzip")
        assert (answer.status, answer.code) == (413, "packet-too-large")

    @pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{}" * 500, mtime=0)[:-9]])
    async def test_broken_gzip(self, sensor: Make, device: Device, body: bytes) -> None:
        answer = await send(device(await sensor()), body, Content_Encoding="gzip")
        assert (answer.status, answer.code) == (400, "bad-compression")

    async def test_an_unknown_encoding(self, sensor: Make, device: Device) -> None:
        answer = await send(device(await sensor()), b"{}", Content_Encoding="br")
        assert (answer.status, answer.code) == (415, "unknown-encoding")


async def test_both_addresses_take_telemetry(app: web.Application, sensor: Make, device: Device, now: float) -> None:
    sender = device(await sensor())
    body = {"samples": [{"t": now, "v": 1}]}
    assert (await send(sender, body)).status == 202
    assert (await sender.call("POST", "/api/v1/telemetry", body)).body["accepted"] == 1


class TestPacketNumbers:
    async def test_a_missing_packet_shows_until_it_comes(
        self, sensor: Make, device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        sender = device(one)

        async def packet(seq: int, boot: str = "a") -> None:
            body = {"seq": seq, "boot": boot, "samples": [{"t": now + seq, "v": seq}, {"t": now + seq + 0.5, "v": seq}]}
            assert (await send(sender, body)).status == 202

        for seq in (1, 2, 5, 6, 6):
            await packet(seq)
        ledger = await stored(one)
        assert (ledger["gaps"], ledger["sent"], ledger["duplicates"]) == (2, None, 2)
        await packet(3)
        await packet(4)
        await packet(1, boot="b")
        await packet(2, boot="b")
        ledger = await stored(one)
        assert (ledger["gaps"], ledger["sent"]) == (0, 18)

    async def test_without_numbers_nothing_is_claimed(
        self, sensor: Make, device: Device, stored: Wait, now: float
    ) -> None:
        one = await sensor()
        await send(device(one), {"samples": [{"t": now, "v": 1}]})
        ledger = await stored(one)
        assert (ledger["sent"], ledger["gaps"]) == (None, None)
