"""The clocks of devices: how far they are off, judged by quick packets and not by those of a buffer."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.kit.db import Tx
from hub.telemetry import queries
from tests.hub.callers import Caller
from tests.hub.conftest import Make

S = 1_000_000
START = 1_800_000_000 * S
Book = Callable[[float, float | None], Awaitable[float | None]]


@pytest.fixture
async def book(owner: Caller, sensor: Make, db: Tx) -> Book:
    """Store a packet that arrives at a second with a delay (s), None for one without a good sample; return the skew."""
    made: dict[str, Any] = await sensor()
    number = await db.fetchval("select no from sensor")

    async def arrive(at_s: float, delay_s: float | None) -> float | None:
        received_us = START + round(at_s * S)
        delay_us = None if delay_s is None else round(delay_s * S)
        await queries.book(
            db,
            sensors=[number],
            **{name: [1] for name in ("received", "stored", "duplicates", "rejected", "late", "differing")},
            high_water=[None if delay_us is None else received_us - delay_us],
            last_raw=[0.0],
            last_physical=[0.0],
            last_status=[0],
            accepted_at=[received_us],
            delay=[delay_us],
            packets_sent=[0],
            packets_seen=[0],
            unnumbered_at=[None],
        )
        return (await owner.get(f"/sensors/{made['id']}")).ok["clock_skew_s"]

    return arrive


async def test_nothing_is_known_before_the_first_packet(owner: Caller, sensor: Make) -> None:
    assert (await sensor())["clock_skew_s"] is None


async def test_the_quickest_packet_counts(book: Book) -> None:
    assert await book(0, 3.0) == -3.0
    assert await book(1, 0.25) == -0.25
    assert await book(2, 1.5) == -0.25


async def test_a_clock_that_is_ahead(book: Book) -> None:
    assert await book(0, -7.5) == 7.5
    assert await book(1, -7.25) == 7.5


async def test_a_clock_that_falls_behind_shows_within_ten_minutes(book: Book) -> None:
    await book(0, 0.1)
    shown = [await book(10 + i, 30.0) for i in range(0, 650, 10)]
    assert shown[0] == -0.1
    assert shown[-1] == -30.0


async def test_a_clock_that_is_set_right_shows_at_once(book: Book) -> None:
    for i in range(0, 700, 50):
        await book(i, 60.0)
    assert await book(701, 0.1) == -0.1


async def test_a_buffer_that_empties_says_nothing(book: Book) -> None:
    await book(0, 0.1)
    # Away for two hours; then all of it comes within a quarter of an hour, the oldest first.
    skews = [await book(7200 + i, 7200 - 8 * i) for i in range(0, 900, 30)]
    assert set(skews) == {-0.1}
    assert await book(8101, 0.2) == -0.1


async def test_what_is_older_than_the_newest_says_nothing(book: Book) -> None:
    await book(0, 5.0)
    assert await book(1, 100.0) == -5.0
    assert await book(400, 500.0) == -5.0


async def test_what_holds_no_good_sample_says_nothing(book: Book) -> None:
    assert await book(0, None) is None
    assert await book(1, 2.0) == -2.0
    assert await book(400, None) == -2.0
    assert await book(401, 2.5) == -2.0
