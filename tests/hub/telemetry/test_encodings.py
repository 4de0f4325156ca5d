"""The encodings of POST /telemetry: what each takes is stored bit for bit, and what none takes is said."""

import gzip
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest
import zstandard

from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

NDJSON, MSGPACK = "application/x-ndjson", "application/msgpack"
Document = dict[str, Any]


def lines(*packets: object) -> bytes:
    return b"\n".join(orjson.dumps(packet) for packet in packets) + b"\n"


def blocks(document: Document) -> bytes:
    """Write columns as bytes."""
    series = [
        {
            "t": np.rint(np.array(one["t"]) * 1e6).astype("<i8").tobytes(),
            "v": np.array(one["v"], "<f8").tobytes(),
        }
        for one in document["series"]
    ]
    return msgspec.msgpack.encode({"series": series})


def as_lines(document: Document) -> bytes:
    """Write columns as lines of rows, two samples a line."""
    (one,) = document["series"]
    rows = [{"t": t, "v": v} for t, v in zip(one["t"], one["v"], strict=True)]
    return lines(*({"samples": rows[i : i + 2]} for i in range(0, len(rows), 2)))


class TestBits:
    async def test_every_encoding_stores_the_same(
        self, sensor: Make, device: Device, owner: Caller, stored: Wait
    ) -> None:
        start = round(time.time(), 3) - 10
        rng = np.random.default_rng(7)
        values = [
            0.1,
            -0.0,
            5e-324,
            1.7976931348623157e308,
            *(rng.standard_normal(60) * 10.0 ** rng.integers(-30, 30, 60)).tolist(),
        ]
        document = {"series": [{"t": [start + i * 0.001 for i in range(len(values))], "v": values}]}
        ways: list[tuple[str, bytes, str]] = [
            ("application/json", orjson.dumps(document), "identity"),
            (NDJSON, as_lines(document), "identity"),
            (MSGPACK, msgspec.msgpack.encode(document), "identity"),
            (MSGPACK, blocks(document), "zstd"),
            ("application/json", orjson.dumps(document), "gzip"),
        ]
        compress: dict[str, Callable[[bytes], bytes]] = {
            "identity": bytes,
            "gzip": gzip.compress,
            "zstd": zstandard.ZstdCompressor().compress,
        }
        read: list[Any] = []
        for media, body, encoding in ways:
            one = await sensor()
            answer = await send(device(one), compress[encoding](body), Content_Type=media, Content_Encoding=encoding)
            assert (answer.status, answer.body["accepted"]) == (202, len(values)), answer.body
            await stored(one)
            moments = f"from={start - 1:.0f}&to={start + 60:.0f}"
            columns = await owner.get(f"/sensors/{one['id']}/samples?{moments}")
            read.append((columns.ok["t"], np.array(columns.ok["raw"]).tobytes(), columns.ok["physical"]))
        assert read[0][1] == np.array(values).tobytes()
        assert all(one == read[0] for one in read)


class TestLines:
    async def test_one_answer_names_rejects_by_line(self, sensor: Make, device: Device, stored: Wait) -> None:
        one, now = await sensor(), time.time()
        body = b"".join(
            [
                lines({"samples": [{"t": now, "v": 1}, {"t": now + 1, "v": None}]}),
                b"{oops\n\n",
                lines({"series": [{"t": [now + 2, now + 90_000], "v": [1, 2]}]}),
                lines({"sensor_id": "00000000-0000-0000-0000-000000000001", "samples": [{"t": now, "v": 1}]}),
                lines({"samples": [{"v": 7}]}, {"samples": [{"v": 8}, {"v": 9}]}),
            ]
        )
        answer = await send(device(one), body, Content_Type=NDJSON)
        assert (answer.status, answer.body["batch_id"], answer.body["accepted"]) == (202, None, 3)
        said = [(r["line"], r.get("series"), r["index"], r["code"]) for r in answer.body["rejected"]]
        assert said == [
            (1, None, 1, "value-missing"),
            (2, None, None, "line-broken"),
            (4, 0, 1, "time-future"),
            (5, None, None, "sensor-unknown"),
            (7, None, 0, "time-missing"),
            (7, None, 1, "time-missing"),
        ]
        ledger = await stored(one)
        assert (ledger["received"], ledger["stored"], ledger["rejected"]) == (7, 3, 4)

    async def test_all_lines_bad_is_422(self, sensor: Make, device: Device) -> None:
        answer = await send(device(await sensor()), b"one\ntwo\n", Content_Type=NDJSON)
        assert (answer.status, [r["line"] for r in answer.body["rejected"]]) == (422, [1, 2])

    async def test_nothing_is_nothing(self, sensor: Make, device: Device) -> None:
        answer = await send(device(await sensor()), b"\n", Content_Type=NDJSON)
        assert (answer.status, answer.body["accepted"]) == (202, 0)

    async def test_packets_of_all_lines_are_numbered(self, sensor: Make, device: Device, stored: Wait) -> None:
        one, now = await sensor(), time.time()
        packets = [{"seq": i, "boot": "a", "samples": [{"t": now + i, "v": i}]} for i in (1, 2, 4)]
        assert (await send(device(one), lines(*packets), Content_Type=NDJSON)).status == 202
        assert (await stored(one))["gaps"] == 1

    @pytest.mark.parametrize(
        "body", [b'{"samples":[]}\n' * 10_001, b'{"samples":[{"t":1,"v":1},{"t":2,"v":1}]}\n' * 5001]
    )
    async def test_too_many(self, sensor: Make, device: Device, body: bytes) -> None:
        answer = await send(device(await sensor()), body, Content_Type=NDJSON)
        assert (answer.status, answer.code) == (413, "packet-too-large")


class TestMediaTypes:
    @pytest.mark.parametrize("media", ["application/cbor", "text/csv", "application/xml", "image/png"])
    async def test_others_are_told_what_is_taken(self, sensor: Make, device: Device, media: str) -> None:
        answer = await send(device(await sensor()), b"{}", Content_Type=media)
        assert (answer.status, answer.code) == (415, "unknown-media-type")
        assert "application/x-ndjson" in answer.headers["Accept"]

    @pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream"])
    async def test_what_says_nothing_is_json(self, sensor: Make, device: Device, media: str) -> None:
        answer = await send(device(await sensor()), {"samples": [{"t": time.time(), "v": 1}]}, Content_Type=media)
        assert (answer.status, answer.body["accepted"]) == (202, 1)

    async def test_json_is_no_msgpack(self, sensor: Make, device: Device) -> None:
        answer = await send(device(await sensor()), b"{", Content_Type=MSGPACK)
        assert answer.status in {400, 422}

    async def test_nan_in_msgpack_is_rejected_alone(self, sensor: Make, device: Device, stored: Wait) -> None:
        one, now = await sensor(), time.time()
        body = msgspec.msgpack.encode({"samples": [{"t": now, "v": 1.0}, {"t": now + 1, "v": float("nan")}]})
        answer = await send(device(one), body, Content_Type=MSGPACK)
        assert (answer.status, answer.body["accepted"]) == (202, 1)
        assert [(r["index"], r["code"]) for r in answer.body["rejected"]] == [(1, "value-not-finite")]
        assert (await stored(one))["rejected"] == 1


def zstd(body: bytes, window_log: int = 19) -> bytes:
    """Compress as a stream, without the size in its header."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=window_log)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return stream.compress(body) + stream.flush()


class TestCompression:
    @pytest.mark.parametrize("compress", [zstandard.ZstdCompressor().compress, zstd])
    async def test_a_zstd_bomb_never_unfolds(self, sensor: Make, device: Device, compress: Any) -> None:
        answer = await send(device(await sensor()), compress(b" " * 200_000_000), Content_Encoding="zstd")
        assert (answer.status, answer.code) == (413, "packet-too-large")

    @pytest.mark.parametrize(
        ("body", "encoding"),
        [
            (b"no zstd", "zstd"),
            (zstd(b"{}" * 500)[:-3], "zstd"),
            (zstd(b"{}") + b"more", "zstd"),
            (zstd(b"{}") * 2, "zstd"),
            (zstd(b"{}" * 500, window_log=27), "zstd"),
            (b"", "zstd"),
            (gzip.compress(b'{"samples":[]}', mtime=0) * 2, "gzip"),
        ],
    )
    async def test_broken_streams(self, sensor: Make, device: Device, body: bytes, encoding: str) -> None:
        answer = await send(device(await sensor()), body, Content_Encoding=encoding)
        assert (answer.status, answer.code) == (400, "bad-compression")

    async def test_an_unknown_encoding_is_told_what_is_taken(self, sensor: Make, device: Device) -> None:
        answer = await send(device(await sensor()), b"{}", Content_Encoding="br")
        assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "gzip, zstd, identity")


class TestWhatCannotBeStored:
    @pytest.mark.parametrize("meta", [{"a": "\0"}, {"\0": 1}, {"a": [{"b": "x\0"}]}, {"n": 10**30}])
    async def test_meta_costs_its_own_sample_only(
        self, sensor: Make, device: Device, stored: Wait, meta: dict[str, Any]
    ) -> None:
        """Such text or number broke the whole entry when it was written."""
        one, now = await sensor(), time.time()
        rows = [
            {"t": now, "v": 1.0},
            {"t": now + 1, "v": 2.0, "meta": meta},
            {"t": now + 2, "v": 3, "meta": {"u": "\\u0000"}},
        ]
        answer = await send(device(one), msgspec.json.encode({"samples": rows}))
        assert (answer.status, answer.body["accepted"]) == (202, 2)
        assert [(r["index"], r["code"]) for r in answer.body["rejected"]] == [(1, "meta-invalid")]
        ledger = await stored(one)
        assert (ledger["stored"], ledger["rejected"]) == (2, 1)

    async def test_a_boot_with_a_null_character_is_refused(self, sensor: Make, device: Device) -> None:
        answer = await send(device(await sensor()), {"seq": 1, "boot": "a\0", "samples": [{"t": time.time(), "v": 1}]})
        assert (answer.status, answer.code, answer.body["errors"][0]["loc"]) == (
            422,
            "invalid-payload",
            ["body", "boot"],
        )
