"""The way out: columns, frames, thinning, CSV and ledgers, and who may have them."""

import csv
import io
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contract import frames
from hub.telemetry.reading import Column, decimate
from tests.closing import check_adds_up
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Forget, Login, Make
from tests.hub.telemetry.conftest import Wait, send


def rfc(seconds: float) -> str:
    """Write seconds as a query parameter."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.fixture
async def filled(sensor: Make, device: Device, stored: Wait) -> dict[str, Any]:
    """A sensor with 3,000 samples of the last half minute, ten milliseconds apart, one of them a spike."""
    made = await sensor(name='=pump "A", left')
    start = round(time.time() - 31, 3)
    rows = [{"t": round(start + i / 100, 6), "v": 1000.0 if i == 1234 else i % 7 / 3} for i in range(3000)]
    assert (await send(device(made), {"samples": rows})).status == 202
    await stored(made)
    return made | {"rows": rows, "start": start}


@pytest.fixture
async def capture(owner: Caller, project: str, filled: dict[str, Any]) -> dict[str, Any]:
    """A finished capture whose pre-roll reaches back over all samples."""
    experiment = (await owner.post(f"/projects/{project}/experiments", {"name": "reading"})).ok
    run = (await owner.post(f"/experiments/{experiment['id']}/runs", {"name": "one"})).ok
    assert (await owner.put(f"/runs/{run['id']}/sensors", {"sensors": [{"sensor_id": filled["id"]}]})).ok
    assert (await owner.post(f"/runs/{run['id']}/start")).ok
    made = (await owner.post(f"/runs/{run['id']}/captures", {"pre_roll_s": 60})).ok
    return (await owner.post(f"/captures/{made['id']}/stop")).ok


class TestWho:
    @pytest.mark.parametrize("what", ["samples?sensor_id={sensor}", "export?format=csv", "ledger"])
    async def test_a_capture(
        self, what: str, anonymous: Caller, stranger: Caller, viewer: Caller, capture: dict[str, Any], filled: Any
    ) -> None:
        path = f"/captures/{capture['id']}/{what.format(sensor=filled['id'])}"
        assert (await anonymous.get(path)).status == 401
        assert (await stranger.get(path)).status == 404
        assert (await viewer.get(path)).status == 200

    @pytest.mark.parametrize("what", ["samples", "ledger"])
    async def test_a_sensor(
        self, what: str, anonymous: Caller, stranger: Caller, viewer: Caller, filled: dict[str, Any]
    ) -> None:
        path = f"/sensors/{filled['id']}/{what}"
        assert (await anonymous.get(path)).status == 401
        assert (await stranger.get(path)).status == 404
        assert (await viewer.get(path)).status == 200

    async def test_raw_is_closed_to_viewers_on_every_way_out(
        self, viewer: Caller, capture: dict[str, Any], filled: dict[str, Any]
    ) -> None:
        sensor, session = f"/sensors/{filled['id']}/samples", f"/captures/{capture['id']}"
        both = f"{session}/samples?sensor_id={filled['id']}"
        for path in (f"{sensor}?values=raw", f"{both}&values=raw,physical", f"{session}/export?values=raw"):
            answer = await viewer.get(path)
            assert (answer.status, answer.code) == (403, "raw-not-allowed")
        assert "raw" not in (await viewer.get(sensor)).ok
        framed = await viewer.get(both, Accept=frames.MEDIA_TYPE)
        assert frames.decode(framed.ok).series[0].raw is None
        header = (await viewer.get(f"{session}/export")).ok.decode().splitlines()[0]
        assert header == "timestamp,sensor_id,sensor,physical_value,unit,profile_version,status"

    async def test_an_open_policy_opens_raw(
        self, db: Any, login: Login, filled: dict[str, Any], forget: Forget
    ) -> None:
        await db.execute("update project set raw_policy = 'open'")
        forget()
        assert len((await (await login("viewer")).get(f"/sensors/{filled['id']}/samples?values=raw")).ok["raw"]) == 3000


class TestColumns:
    async def test_a_range_is_half_open(self, owner: Caller, filled: dict[str, Any]) -> None:
        rows = filled["rows"]
        query = f"from={rfc(rows[10]['t'])}&to={rfc(rows[20]['t'])}"
        read = (await owner.get(f"/sensors/{filled['id']}/samples?{query}")).ok
        assert read["t"] == [row["t"] for row in rows[10:20]]
        assert read["raw"] == [row["v"] for row in rows[10:20]]
        assert (read["total"], read["decimated"], read["revision"]) == (10, False, 1)

    async def test_thinned_keeps_the_spike_and_says_so(self, owner: Caller, filled: dict[str, Any]) -> None:
        answer = await owner.get(f"/sensors/{filled['id']}/samples?max_points=100", Accept=frames.MEDIA_TYPE)
        (series,) = frames.decode(answer.ok).series
        assert (series.decimated, series.total) == (True, 3000)
        assert len(series.t) <= 100
        assert series.raw is not None
        assert series.raw.max() == 1000.0

    @pytest.mark.parametrize("query", ["from=yesterday", "max_points=1", "values=volts", "from=2026-01-01T00:00:00"])
    async def test_a_bad_query_says_where(self, owner: Caller, filled: dict[str, Any], query: str) -> None:
        answer = await owner.get(f"/sensors/{filled['id']}/samples?{query}")
        assert (answer.status, answer.code) == (422, "invalid-payload")
        assert answer.body["errors"][0]["loc"][:2] == ["query", query.split("=", 1)[0]]

    async def test_a_sensor_outside_the_capture(self, owner: Caller, capture: dict[str, Any], sensor: Make) -> None:
        other = await sensor()
        answer = await owner.get(f"/captures/{capture['id']}/samples?sensor_id={other['id']}")
        assert (answer.status, answer.code) == (404, "sensor-not-captured")


class TestCsv:
    async def test_reads_back_to_the_same_bits(
        self, owner: Caller, capture: dict[str, Any], filled: dict[str, Any]
    ) -> None:
        answer = await owner.get(f"/captures/{capture['id']}/export?format=csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="run-1-capture-1.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.ok.decode())))
        assert [row["timestamp"] for row in rows] == [rfc(row["t"]) for row in filled["rows"]]
        assert [float(row["raw_value"]) for row in rows] == [row["v"] for row in filled["rows"]]
        assert rows[0]["physical_value"] == "1.0"
        assert {row["sensor"] for row in rows} == {'\'=pump "A", left'}, "a formula is disarmed, quotes survive"
        assert {(row["unit"], row["profile_version"], row["status"]) for row in rows} == {("°C", "1", "ok")}

    async def test_is_recorded(self, owner: Caller, capture: dict[str, Any], db: Any) -> None:
        await owner.get(f"/captures/{capture['id']}/export")
        fact = await db.fetchrow(
            "select subject_id::text, principal_id::text from fact where kind = 'capture.exported'"
        )
        assert tuple(fact) == (capture["id"], owner.id)

    async def test_an_unknown_format(self, owner: Caller, capture: dict[str, Any]) -> None:
        assert (await owner.get(f"/captures/{capture['id']}/export?format=xlsx")).status == 422


async def test_the_ledger_of_a_capture(owner: Caller, capture: dict[str, Any], filled: dict[str, Any]) -> None:
    ledger = (await owner.get(f"/captures/{capture['id']}/ledger")).ok
    counts = {"received": 3000, "stored": 3000, "duplicates": 0, "rejected": 0, "pending": 0, "late": 0, "lost": 0}
    assert {name: ledger[name] for name in counts} == counts
    assert [part["sensor_id"] for part in ledger["sensors"]] == [filled["id"]]


@given(
    arrays.arrays(np.float64, st.integers(200, 600), elements=st.floats(-1e6, 1e6) | st.just(float("nan"))),
    st.integers(20, 80),
)
def test_thinning_keeps_every_extreme(values: Any, points: int) -> None:
    t = np.arange(len(values), dtype=np.int64) * 1000
    zeros = np.zeros(len(values), np.uint8)
    column = Column(t, np.nan_to_num(values), values, zeros, zeros.astype(np.int32), len(values))
    kept = decimate(column, points)
    assert kept.total == len(values)
    assert len(kept.t_us) <= points
    assert (kept.t_us[0], kept.t_us[-1]) == (t[0], t[-1])
    for before, after in ((column.raw, kept.raw), (column.physical, kept.physical)):
        if np.isfinite(before).any():
            assert (np.nanmin(before), np.nanmax(before)) == (np.nanmin(after), np.nanmax(after))


async def test_a_capture_is_known_to_be_whole_once_its_sensor_was_heard_past_it(
    owner: Caller, run: Make, sensor: Make, device: Device, stored: Wait
) -> None:
    one, other = await sensor(), await sensor()
    start = time.time() - 10
    made = await run(one, other)

    async def packet(sender: dict[str, Any], seq: int, t: float) -> None:
        body = {"seq": seq, "boot": "a", "samples": [{"t": t, "v": 1.0}, {"t": t + 0.1, "v": 2.0}]}
        assert (await send(device(sender), body)).status == 202
        await stored(sender)

    async def known() -> list[tuple[int | None, int | None]]:
        ledger = (await owner.get(f"/captures/{capture['id']}/ledger")).ok
        check_adds_up(ledger)
        for part in ledger["sensors"]:
            check_adds_up(part)
        return [(part["sent"], part["gaps"]) for part in (ledger, *ledger["sensors"])]

    for seq in range(3):
        await packet(one, seq, start + seq)
        await packet(other, seq, start + seq)
    capture = (await owner.post(f"/runs/{made['id']}/captures", {"pre_roll_s": 60})).ok
    assert (await owner.post(f"/captures/{capture['id']}/stop")).ok
    nothing = (None, None)
    assert await known() == [nothing, nothing, nothing]
    await packet(one, 3, time.time() + 1)
    assert await known() == [nothing, (6, 0), nothing]
    await packet(other, 4, time.time() + 1)
    assert await known() == [nothing, (6, 0), nothing], "the missing packet may hold samples of the capture"
    await packet(other, 3, start + 3)
    assert await known() == [(14, 0), (6, 0), (8, 0)]
