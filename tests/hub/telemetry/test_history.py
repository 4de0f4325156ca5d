"""Looking back: windows that agree with a plain computation, gaps where nothing came, extremes that thinning keeps."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contract import frames
from hub.telemetry.history import Aggregate, gaps, windows
from hub.telemetry.reading import Column, decimate
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send

VALUES = st.floats(-1e9, 1e9) | st.just(float("nan"))
PLAIN: dict[Aggregate, Any] = {"min": np.min, "max": np.max, "mean": np.mean, "count": len}


def column_of(t_us: Any, raw: Any, physical: Any) -> Column:
    """Make a column whose status is 0."""
    return Column(t_us, raw, physical, np.zeros(len(raw), np.uint8), np.zeros(len(raw), np.int32), len(raw))


@given(
    arrays.arrays(np.float64, st.integers(0, 60), elements=VALUES),
    st.lists(st.integers(0, 900), min_size=60, max_size=60),
    st.sampled_from(["min", "max", "mean", "count"]),
    st.integers(1, 2000),
)
def test_windows_agree_with_a_plain_computation(values: Any, steps: list[int], how: Aggregate, window_us: int) -> None:
    t = np.cumsum(np.array(steps[: len(values)], np.int64))
    found = windows(column_of(t, np.nan_to_num(values), values), how, window_us)
    slots = sorted({int(at) // window_us for at in t})
    assert found.t_us.tolist() == [slot * window_us for slot in slots]
    assert int(found.count.sum()) == len(values)
    for slot, value in zip(slots, found.physical.tolist(), strict=True):
        inside = values[(t // window_us == slot) & np.isfinite(values)]
        expected = PLAIN[how](inside) if len(inside) or how == "count" else float("nan")
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-6, nan_ok=True)


@given(st.integers(0, 2**32), st.integers(200, 2000), st.integers(20, 120))
def test_thinning_keeps_the_extremes_of_every_pixel(seed: int, n: int, points: int) -> None:
    """M4: a chart of so many columns over the same range shows the same least and greatest value in each."""
    random = np.random.default_rng(seed)
    t = np.cumsum(random.integers(1, 5000, n))
    values = random.normal(size=n) * 10.0 ** random.integers(-3, 4, n)
    whole = column_of(t, values, values)
    kept = decimate(whole, points)
    columns = (points - 2) // 8
    width = (t[-1] - t[0]) / columns
    # A sample on a border may count for either side of it, so the columns are compared away from their borders.
    for i in range(columns):
        low, high = t[0] + i * width, t[0] + (i + 1) * width
        inside = (t > low + 1) & (t < high - 1)
        near = (kept.t_us >= low - 1) & (kept.t_us <= high + 1)
        if inside.any():
            assert kept.raw[near].min() <= whole.raw[inside].min()
            assert kept.raw[near].max() >= whole.raw[inside].max()


class TestGaps:
    def test_where_more_than_five_median_intervals_hold_nothing(self) -> None:
        t = np.array([0, 10, 20, 70, 80, 90, 141, 151], np.int64)
        assert gaps(t, interval_us=1) == [(90, 141)]

    def test_few_samples_are_judged_by_the_expected_interval(self) -> None:
        t = np.array([0, 49, 100], np.int64)
        assert gaps(t, interval_us=10) == [(49, 100)]
        assert gaps(t[:1], interval_us=10) == []

    def test_repeated_times_are_no_interval(self) -> None:
        t = np.array([0, 0, 0, 0, 10, 20, 30], np.int64)
        assert gaps(t, interval_us=1) == []


class TestAnswers:
    @pytest.fixture
    async def filled(self, sensor: Make, device: Device, stored: Wait) -> dict[str, Any]:
        """A sensor with two minutes of samples, a second apart, and half a minute between in which nothing came."""
        made = await sensor()
        start = (time.time() - 300) // 60 * 60
        rows = [{"t": start + i, "v": float(i)} for i in (*range(60), *range(90, 150))]
        assert (await send(device(made), {"samples": rows})).status == 202
        await stored(made)
        return made | {"start": start}

    async def test_windows(self, owner: Caller, filled: dict[str, Any]) -> None:
        path = f"/sensors/{filled['id']}/samples"
        read = (await owner.get(f"{path}?aggregate=max&window_s=60")).ok
        start = filled["start"]
        assert (read["t"], read["raw"]) == ([start, start + 60, start + 120], [59.0, 119.0, 149.0])
        assert read["physical"] == [119.0, 239.0, 299.0]
        assert (read["count"], read["total"], read["status"]) == ([60, 30, 30], 120, ["ok", "ok", "ok"])
        read = (await owner.get(f"{path}?aggregate=mean&window_s=60&values=physical")).ok
        assert (read["physical"], "raw" in read) == ([60.0, 210.0, 270.0], False)

    @pytest.mark.parametrize("query", ["", "&max_points=20"])
    async def test_gaps_whether_thinned_or_not(self, owner: Caller, filled: dict[str, Any], query: str) -> None:
        read = (await owner.get(f"/sensors/{filled['id']}/samples?values=raw{query}")).ok
        assert read["gaps"] == [[filled["start"] + 59, filled["start"] + 90]]
        assert read["decimated"] is bool(query)

    @pytest.mark.parametrize("query", ["", "&max_points=20", "&aggregate=max&window_s=60"])
    async def test_frames_tell_the_same_gaps(self, owner: Caller, filled: dict[str, Any], query: str) -> None:
        path = f"/sensors/{filled['id']}/samples?values=raw{query}"
        (series,) = frames.decode((await owner.get(path, Accept=frames.MEDIA_TYPE)).ok).series
        assert series.gaps is not None
        assert series.gaps.tolist() == (await owner.get(path)).ok["gaps"] != []

    async def test_a_frame_without_gaps_says_so(self, owner: Caller, filled: dict[str, Any]) -> None:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(filled["start"] + 60))
        path = f"/sensors/{filled['id']}/samples?to={until}"
        (series,) = frames.decode((await owner.get(path, Accept=frames.MEDIA_TYPE)).ok).series
        assert (len(series.t), series.gaps is not None and len(series.gaps)) == (60, 0)

    @pytest.mark.parametrize(
        "query",
        ["aggregate=max", "window_s=10", "aggregate=median&window_s=1", "aggregate=min&window_s=1&max_points=20"],
    )
    async def test_what_does_not_go_together(self, owner: Caller, filled: dict[str, Any], query: str) -> None:
        answer = await owner.get(f"/sensors/{filled['id']}/samples?{query}")
        assert (answer.status, answer.code) == (422, "invalid-payload")
