"""The journal: who reads how much of it, what is coalesced, and that noting never stands in anybody's way."""

import time
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web

from dev.postgres import Postgres
from hub.app import make_hub
from hub.events.service import Events
from hub.journal import service, tidy
from hub.journal.models import Entry, Kind
from hub.journal.service import JOURNAL, Journal
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.journal.conftest import Noted
from tests.hub.telemetry.conftest import send


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime.fromisoformat("2026-11-23T08:00:10+00:00")

    def now(self) -> datetime:
        """Return the time it shows."""
        return self.at

    def now_us(self) -> int:
        """Return the same in µs since 1970."""
        return int(self.at.timestamp() * 1e6)


@pytest.fixture
def clock() -> FixedClock:
    """A clock of the test's own."""
    return FixedClock()


@pytest.fixture
def journal(settings: Settings, clock: FixedClock) -> Journal:
    """A journal of the test's own beside the hub's."""
    hub = make_hub(settings, clock)
    return Journal(hub, Events(hub.stream, clock))


async def number_of(db: Tx, sensor: dict[str, Any]) -> int:
    return await db.fetchval("select no from sensor where id = $1::text::uuid", sensor["id"])


class TestRead:
    async def test_strangers_find_nothing(self, anonymous: Caller, stranger: Caller, sensor: Make) -> None:
        path = f"/sensors/{(await sensor())['id']}/journal"
        assert (await anonymous.get(path)).status == 401
        assert (await stranger.get(path)).status == 404

    async def test_a_viewer_sees_no_details_until_raw_is_open(
        self, owner: Caller, viewer: Caller, project: str, sensor: Make, device: Device, noted: Noted
    ) -> None:
        one = await sensor(
            profile={"kind": "table", "points": [[0, 0], [1, 10]], "extrapolation": "reject"}, type="pressure"
        )
        await send(device(one), {"samples": [{"t": time.time(), "v": 7.25}]})
        (entry,) = await noted(one, 1)
        assert entry["kind"] == "out_of_range"
        assert entry["details"]["raw"] == 7.25
        path = f"/sensors/{one['id']}/journal"
        answer = await viewer.get(path)
        assert [set(item) for item in answer.ok["items"]] == [{"id", "kind", "first_at", "last_at", "count", "codes"}]
        assert "7.25" not in str(answer.body)
        await owner.patch(f"/projects/{project}/settings", {"raw_policy": "open"})
        assert (await viewer.get(path)).ok["items"] == [entry]

    async def test_pages_and_kinds(
        self, owner: Caller, sensor: Make, db: Tx, journal: Journal, clock: FixedClock
    ) -> None:
        one = await sensor()
        no = await number_of(db, one)
        for kind in (Kind.REJECTED, Kind.RATE_LIMITED, Kind.REJECTED):
            journal.note(Entry(no, kind))
            clock.at += timedelta(minutes=1)
        await journal.flush()
        path = f"/sensors/{one['id']}/journal"
        first = (await owner.get(f"{path}?limit=2")).ok
        assert [item["kind"] for item in first["items"]] == ["rejected", "rate_limited"]
        second = (await owner.get(f"{path}?limit=2&cursor={first['next_cursor']}")).ok
        assert [item["kind"] for item in second["items"]] == ["rejected"]
        assert second["next_cursor"] is None
        only = (await owner.get(f"{path}?kind=rate_limited")).ok["items"]
        assert only == first["items"][1:]
        assert (await owner.get(f"{path}?kind=other")).status == 422


class TestNote:
    async def test_a_minute_of_a_kind_is_one_row(
        self, owner: Caller, sensor: Make, db: Tx, journal: Journal, clock: FixedClock
    ) -> None:
        one = await sensor()
        no = await number_of(db, one)
        began = clock.at
        for second in range(3):
            clock.at = began + timedelta(seconds=10 * second)
            journal.note(Entry(no, Kind.REJECTED, 2, "value-missing", {"index": second}))
            journal.note(Entry(no, Kind.REJECTED, code="time-invalid", details={"index": 10 + second}))
            await journal.flush()
        journal.note(Entry(no, Kind.RATE_LIMITED))
        clock.at = began + timedelta(minutes=1)
        journal.note(Entry(no, Kind.REJECTED, code="time-invalid"))
        await journal.flush()
        items = (await owner.get(f"/sensors/{one['id']}/journal")).ok["items"]
        assert sorted((item["kind"], item["count"]) for item in items) == [
            ("rate_limited", 1),
            ("rejected", 1),
            ("rejected", 9),
        ]
        (most,) = [item for item in items if item["count"] == 9]
        assert most["codes"] == {"value-missing": 6, "time-invalid": 3}
        assert most["details"] == {"index": 12}
        assert datetime.fromisoformat(most["first_at"]) == began
        assert datetime.fromisoformat(most["last_at"]) == began + timedelta(seconds=20)

    async def test_it_is_bounded_and_counts_what_it_drops(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "MOST_WAITING", 3)
        for no in range(5):
            journal.note(Entry(no, Kind.REJECTED, 4))
        journal.note(Entry(0, Kind.REJECTED, 4))
        assert journal.dropped == 8

    @pytest.mark.parametrize("details", [{"why": "a\0b"}, {"why": "x" * 5000}, {"why": float("nan"), 1: object()}])
    async def test_nothing_that_is_noted_stands_in_the_way(
        self, owner: Caller, sensor: Make, db: Tx, journal: Journal, details: dict[str, Any]
    ) -> None:
        one = await sensor()
        journal.note(Entry(await number_of(db, one), Kind.REJECTED, details=details))
        await journal.flush()
        assert len((await owner.get(f"/sensors/{one['id']}/journal")).ok["items"]) == 1

    async def test_entries_wait_while_the_database_is_away(
        self, own_postgres: Postgres, settings: Settings, clock: FixedClock
    ) -> None:
        hub = make_hub(settings.model_copy(update={"database_url": own_postgres.url}), clock)
        journal = Journal(hub, Events(hub.stream, clock))
        await own_postgres.stop()
        for _ in range(2):
            journal.note(Entry(1, Kind.REJECTED, 3, "value-missing"))
            await journal.flush()
        await own_postgres.start()
        await journal.flush()
        async with hub.db.connection() as connection:
            rows = await connection.fetch("select count, codes from sensor_journal")
        assert [tuple(row) for row in rows] == [(6, {"value-missing": 6})]
        await hub.db.close()


class TestWhatIsNoted:
    async def test_refused_samples_bodies_and_tokens(
        self, owner: Caller, sensor: Make, device: Device, noted: Noted, db: Tx, app: web.Application
    ) -> None:
        one = await sensor()
        now = time.time()
        samples = [
            {"t": now, "v": None},
            {"t": now, "v": None},
            {"t": "yesterday", "v": 1.0},
            {"t": now + 4000, "v": 1.0},
            {"t": now + 60, "v": 1.0},
        ]
        await send(device(one), {"samples": samples})
        await send(device(one), b"{")
        await send(device(one), {"samples": "none"})
        await db.execute(
            "update sensor set old_token_digest = $1, old_token_until = now() - interval '1 hour',"
            " token_expires_at = now() - interval '1 minute'",
            app[HUB].keys.digest("used to be good"),
        )
        expired = Caller(owner.client, "used to be good")
        assert (await send(expired, {"samples": []})).status == 401
        assert (await send(device(one), {"samples": []})).status == 401
        items = await noted(one, 9)
        assert {item["kind"]: (item["count"], item["codes"]) for item in items} == {
            "rejected": (3, {"value-missing": 2, "time-invalid": 1}),
            "time_future": (1, {"time-future": 1}),
            "clock_skew": (1, {}),
            "packet_refused": (2, {"telemetry-broken": 1, "invalid-payload": 1}),
            "unauthorized": (2, {"token-expired": 2}),
        }

    async def test_a_packet_too_large_of_the_sensors_that_it_names(
        self, sensor: Make, agent: Make, device: Device, noted: Noted
    ) -> None:
        first, second, other = await sensor(), await sensor(), await sensor()
        edge, now = device(await agent(default=True)), time.time()
        columns = {"t": [now + i / 1e6 for i in range(5001)], "v": [1.0] * 5001}
        series = [columns | {"sensor_id": one["id"]} for one in (first, second)]
        assert (await send(edge, {"series": series})).status == 413
        lines = b"\n".join(orjson.dumps({"series": [one]}) for one in series)
        assert (await send(edge, lines, Content_Type="application/x-ndjson")).status == 413
        for one in (first, second):
            (item,) = await noted(one, 2)
            assert (item["kind"], item["codes"]) == ("packet_refused", {"packet-too-large": 2})
        assert await noted(other, 0) == []

    async def test_conversions_with_an_example(self, sensor: Make, device: Device, noted: Noted) -> None:
        one = await sensor(profile={"kind": "custom", "expression": "sqrt(x)", "constants": {}})
        now = round(time.time(), 3)
        await send(
            device(one), {"samples": [{"t": now, "v": -4.0}, {"t": now + 1, "v": 4.0}, {"t": now + 2, "v": -9.0}]}
        )
        (entry,) = await noted(one, 2)
        assert (entry["kind"], entry["count"]) == ("conversion_error", 2)
        assert entry["details"] == {"t": now + 2, "raw": -9.0, "profile_version": 1}


class TestTidy:
    async def test_old_entries_go_piece_by_piece(self, db: Tx, app: web.Application, client: object) -> None:
        await db.execute(
            """
            insert into sensor_journal (sensor_no, kind, minute, first_at, last_at, count)
            select 1, 'rejected', at, at, at, 1
            from generate_series(now() - interval '12 days', now(), interval '1 day') at
            """
        )
        assert await tidy.tidy(app[HUB].db, days=10, at_once=1) == 3
        assert await db.fetchval("select min(first_at) > now() - interval '10 days' from sensor_journal")


def test_the_hub_has_one(app: web.Application) -> None:
    assert isinstance(app[JOURNAL], Journal)
