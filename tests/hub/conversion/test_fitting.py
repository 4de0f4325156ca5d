"""Fitting profiles to reference pairs over HTTP."""

from typing import Any

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.ledger.conftest import told

PAIRS = [[0.0, 1.0], [1.0, 3.0], [2.0, 5.5]]


@pytest.fixture
async def url(sensor: Make) -> str:
    return f"/sensors/{(await sensor())['id']}/profiles/fit"


async def test_anonymous_stranger_viewer(anonymous: Caller, stranger: Caller, viewer: Caller, url: str) -> None:
    body = {"kind": "linear", "pairs": PAIRS}
    assert (await anonymous.post(url, body)).status == 401
    assert (await stranger.post(url, body)).status == 404
    assert (await viewer.post(url, body)).status == 403


async def test_line(editor: Caller, url: str, db: Tx) -> None:
    answer = await editor.post(url, {"kind": "linear", "pairs": PAIRS})
    found = answer.ok
    assert found["payload"] == {
        "kind": "linear",
        "slope": pytest.approx(2.25),
        "intercept": pytest.approx(0.9166666),
        "input_range": None,
    }
    assert found["residuals"] == pytest.approx([0.0833333, -0.1666666, 0.0833333], rel=1e-5)
    assert found["rms"] == pytest.approx(0.1178511, rel=1e-5)
    assert found["largest"] == pytest.approx(0.1666666, rel=1e-5)
    assert 0.99 < found["r_squared"] < 1
    assert found["course"] is None
    assert await told(db, answer) == ["profile.fitted"]
    assert await db.fetchval("select count(*) from conversion_profile") == 1


async def test_table(editor: Caller, url: str) -> None:
    body = {"kind": "table", "pairs": [*PAIRS, [2.0, 6.5]], "extrapolation": "reject"}
    found = (await editor.post(url, body)).ok
    assert found["payload"]["points"] == [[0.0, 1.0], [1.0, 3.0], [2.0, 6.0]]
    assert found["payload"]["extrapolation"] == "reject"
    assert found["residuals"] == [0.0, 0.0, -0.5, 0.5]
    assert (found["largest"], found["rms"], found["course"]) == (0.5, pytest.approx(0.3535533), "rising")


async def test_what_was_fitted_can_be_drafted(editor: Caller, url: str) -> None:
    found = (await editor.post(url, {"kind": "table", "pairs": PAIRS})).ok
    drafted = await editor.post(url.removesuffix("/fit"), {"payload": found["payload"]})
    assert drafted.ok["payload"] == found["payload"]


async def test_exact_pairs_leave_nothing(editor: Caller, url: str) -> None:
    found = (await editor.post(url, {"kind": "linear", "pairs": PAIRS[:2]})).ok
    assert (found["rms"], found["largest"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("pairs", "loc"),
    [
        ([[1.0, 1.0], [1.0, 2.0]], ["body", "pairs"]),
        ([[1.0, 1.0]], ["body", "pairs"]),
        ([[1.0, 1.0], [2.0, "x"]], ["body", "pairs", 1, 1]),
    ],
)
async def test_pairs_that_give_no_profile(editor: Caller, url: str, pairs: Any, loc: list[Any]) -> None:
    answer = await editor.post(url, {"kind": "linear", "pairs": pairs})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, loc)
