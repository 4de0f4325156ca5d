"""Sensors whose samples are vectors: what is taken, kept apart, converted, shown and exported."""

import csv
import io
import time
from typing import Any

import orjson
import pytest

from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

AXIS = {"quantity": "frequency", "unit": "Hz", "start": 10.0, "step": 0.5, "count": 3}


@pytest.fixture
def now() -> float:
    """A time that is a whole number of milliseconds."""
    return round(time.time(), 3)


@pytest.fixture
async def spectrum(sensor: Make) -> dict[str, Any]:
    """A sensor of vectors with three elements (physical = 2 · raw + 1)."""
    return await sensor(type="vibration_spectrum", axis=AXIS)


def rows(start: float, *values: object) -> dict[str, Any]:
    """Make a packet of samples a second apart."""
    return {"samples": [{"t": start + i, "v": value} for i, value in enumerate(values)]}


class TestRegistration:
    async def test_shows_the_axis(self, owner: Caller, spectrum: dict[str, Any], sensor: Make) -> None:
        assert spectrum["axis"] == AXIS
        assert (await owner.get(f"/sensors/{spectrum['id']}")).ok["axis"] == AXIS
        assert (await sensor())["axis"] is None

    @pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 16_385}, {"step": 0.0}, {"quantity": ""}])
    async def test_refuses_an_axis_that_cannot_be(self, owner: Caller, project: str, wrong: dict[str, Any]) -> None:
        body = {"name": "s", "type": "other", "input_unit": "V", "display_unit": "g", "axis": AXIS | wrong}
        answer = await owner.post(f"/projects/{project}/sensors", body)
        assert (answer.status, answer.body["errors"][0]["loc"][:2]) == (422, ["body", "axis"])


class TestTaken:
    async def test_raw_bit_for_bit_and_each_element_converted(
        self, spectrum: dict[str, Any], device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        assert (await send(device(spectrum), rows(now, [0.1, -0.0, 0.3], [4, 6, 5]))).body["accepted"] == 2
        ledger = await stored(spectrum)
        assert (ledger["received"], ledger["stored"], ledger["differing"]) == (2, 2, 0)
        read = (await owner.get(f"/sensors/{spectrum['id']}/vectors?limit=10")).ok
        assert (read["axis"], read["t"], read["total"]) == (AXIS, [now, now + 1], 2)
        assert read["raw"] == [[0.1, -0.0, 0.3], [4.0, 6.0, 5.0]]
        assert str(read["raw"][0][1]) == "-0.0"
        assert read["physical"] == [[1.2, 1.0, 1.6], [9.0, 13.0, 11.0]]
        assert read["status"] == ["ok", "ok"]

    async def test_its_greatest_element_stands_among_the_numbers(
        self, spectrum: dict[str, Any], device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        await send(device(spectrum), rows(now, [1, 7, 2]))
        await stored(spectrum)
        seen = (await owner.get(f"/sensors/{spectrum['id']}")).ok
        assert (seen["last_raw"], seen["last_physical"]) == (7.0, 15.0)

    async def test_elements_without_a_physical_value_are_null(
        self, sensor: Make, device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        table = {"kind": "table", "points": [[0, 0], [10, 100]], "extrapolation": "reject"}
        one = await sensor(axis=AXIS, profile=table)
        await send(device(one), rows(now, [1, 2, 11]))
        await stored(one)
        read = (await owner.get(f"/sensors/{one['id']}/vectors")).ok
        assert (read["physical"], read["status"]) == ([[10.0, 20.0, None]], ["out_of_range"])


class TestRefused:
    async def test_what_does_not_fit_the_axis(
        self, spectrum: dict[str, Any], device: Device, stored: Wait, now: float
    ) -> None:
        answer = await send(device(spectrum), rows(now, 5.0, [1, 2], [1, 2, 3], [1, "x", 3]))
        assert answer.body["accepted"] == 1
        refused = {one["index"]: (one["code"], one["detail"]) for one in answer.body["rejected"]}
        assert refused == {
            0: ("vector-missing", "this sensor has vectors of 3 elements"),
            1: ("vector-size", "2 elements; the sensor's axis has 3"),
            3: ("vector-invalid", "element 1 is no number"),
        }
        ledger = await stored(spectrum)
        assert (ledger["received"], ledger["stored"], ledger["rejected"]) == (4, 1, 3)

    async def test_a_vector_where_the_sensor_has_numbers(self, sensor: Make, device: Device, now: float) -> None:
        answer = await send(device(await sensor()), rows(now, [1, 2, 3], 5.0))
        assert (answer.body["accepted"], answer.body["rejected"][0]["code"]) == (1, "value-not-a-number")


class TestTwice:
    async def test_the_same_again_is_a_duplicate(
        self, spectrum: dict[str, Any], device: Device, stored: Wait, now: float
    ) -> None:
        await send(device(spectrum), rows(now, [1, 2, 3], [4, 5, 6]))
        await stored(spectrum)
        await send(device(spectrum), rows(now, [1, 2, 3], [4, 5, 6], [7, 8, 9]))
        ledger = await stored(spectrum)
        assert (ledger["received"], ledger["stored"], ledger["duplicates"]) == (5, 3, 2)

    @pytest.mark.parametrize("at_once", [True, False])
    async def test_another_with_the_same_greatest_element_is_kept(
        self, spectrum: dict[str, Any], device: Device, owner: Caller, stored: Wait, now: float, at_once: bool
    ) -> None:
        first, second = {"t": now, "v": [1, 2, 9]}, {"t": now, "v": [1, 3, 9]}
        for samples in [[first, second]] if at_once else [[first], [second]]:
            assert (await send(device(spectrum), {"samples": samples})).body["duplicates"] == 0
            await stored(spectrum)
        assert (await stored(spectrum))["stored"] == 2
        read = (await owner.get(f"/sensors/{spectrum['id']}/vectors?limit=5")).ok
        assert sorted(read["raw"]) == [[1.0, 2.0, 9.0], [1.0, 3.0, 9.0]]


class TestRead:
    async def test_a_range_gives_its_newest_in_order(
        self, spectrum: dict[str, Any], device: Device, owner: Caller, stored: Wait, now: float
    ) -> None:
        await send(device(spectrum), rows(now, *[[i, i, i] for i in range(5)]))
        await stored(spectrum)
        to = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 10))
        read = (await owner.get(f"/sensors/{spectrum['id']}/vectors?limit=2&to={to}")).ok
        assert ([v[0] for v in read["raw"]], read["total"]) == ([3.0, 4.0], 5)

    async def test_a_viewer_reads_physical_values_only(
        self, spectrum: dict[str, Any], device: Device, viewer: Caller, stored: Wait, now: float
    ) -> None:
        await send(device(spectrum), rows(now, [1, 2, 3]))
        await stored(spectrum)
        read = (await viewer.get(f"/sensors/{spectrum['id']}/vectors")).ok
        assert ("raw" in read, read["physical"]) == (False, [[3.0, 5.0, 7.0]])
        refused = await viewer.get(f"/sensors/{spectrum['id']}/vectors?values=raw")
        assert (refused.status, refused.code) == (403, "raw-not-allowed")

    async def test_of_a_sensor_with_numbers(self, owner: Caller, sensor: Make) -> None:
        answer = await owner.get(f"/sensors/{(await sensor())['id']}/vectors")
        assert (answer.status, answer.code) == (409, "no-vectors")


class TestCapture:
    async def test_holds_and_exports_those_of_its_range(
        self, spectrum: dict[str, Any], device: Device, run: Make, editor: Caller, viewer: Caller, stored: Wait
    ) -> None:
        await send(device(spectrum), {"samples": [{"t": round(time.time(), 3), "v": [1, 1, 1]}]})
        capture = (await editor.post(f"/runs/{(await run(spectrum))['id']}/captures", {})).ok
        at = round(time.time() + 0.001, 3)
        await send(device(spectrum), {"samples": [{"t": at, "v": [1, 2.5, 3]}]})
        await stored(spectrum)
        while time.time() <= at:
            pass
        await editor.post(f"/captures/{capture['id']}/stop")
        read = (await editor.get(f"/captures/{capture['id']}/vectors?sensor_id={spectrum['id']}&limit=9")).ok
        assert (read["t"], read["raw"]) == ([at], [[1.0, 2.5, 3.0]])
        text = (await editor.get(f"/captures/{capture['id']}/export")).ok.decode()
        (line,) = csv.DictReader(io.StringIO(text))
        assert orjson.loads(line["raw_value"]) == [1.0, 2.5, 3.0]
        assert orjson.loads(line["physical_value"]) == [3.0, 6.0, 7.0]
        shown = (await viewer.get(f"/captures/{capture['id']}/export")).ok.decode()
        assert "raw_value" not in shown
        assert "[3.0,6.0,7.0]" in shown
