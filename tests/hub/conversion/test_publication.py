"""The life of a version: drafted, changed, published for a time to come, withdrawn, ended by the next one."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Answer, Caller
from tests.hub.conftest import Device, Make
from tests.hub.ledger.conftest import told as facts
from tests.hub.past_rules import past_rules
from tests.hub.races import in_line, told

PAYLOAD = {"kind": "linear", "slope": 3.0, "intercept": 0.5, "input_range": None}
TABLE = {"kind": "table", "points": [[0.0, 0.0], [1.0, 2.0]], "extrapolation": "clamp", "input_range": None}
LOCK_SENSORS = "select from sensor for update"


def ahead(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def draft(caller: Caller, sensor: dict[str, Any], payload: dict[str, Any] = PAYLOAD) -> dict[str, Any]:
    return (await caller.post(f"/sensors/{sensor['id']}/profiles", {"payload": payload})).ok


async def publish(caller: Caller, profile: dict[str, Any], **body: Any) -> Answer:
    return await caller.post(f"/profiles/{profile['id']}/publish", {"mode": "prospective"} | body)


async def versions(caller: Caller, sensor: dict[str, Any]) -> dict[int, str]:
    found = (await caller.get(f"/sensors/{sensor['id']}/profiles")).ok["items"]
    return {one["version"]: one["status"] for one in found}


async def begin(db: Tx, profile: dict[str, Any], ago: str = "1 minute") -> None:
    """Let a scheduled version have begun, and the one before it have ended, some time ago."""
    async with past_rules(db):
        await db.execute(
            """
            update conversion_profile p
            set valid_from = case when p.id = made.id then now() - $2::text::interval else p.valid_from end,
              valid_to = case when p.valid_to = made.valid_from then now() - $2::text::interval else p.valid_to end
            from conversion_profile made
            where made.id = $1 and p.sensor_id = made.sensor_id
            """,
            uuid.UUID(profile["id"]),
            ago,
        )


class TestDraft:
    async def test_anonymous_stranger_viewer(
        self, anonymous: Caller, stranger: Caller, viewer: Caller, sensor: Make
    ) -> None:
        url = f"/sensors/{(await sensor())['id']}/profiles"
        assert (await anonymous.post(url, {"payload": PAYLOAD})).status == 401
        assert (await stranger.post(url, {"payload": PAYLOAD})).status == 404
        assert (await viewer.post(url, {"payload": PAYLOAD})).status == 403

    async def test_is_the_next_version_and_applies_to_nothing(self, editor: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        answer = await editor.post(f"/sensors/{made['id']}/profiles", {"payload": PAYLOAD})
        drafted = answer.ok
        assert answer.status == 201
        assert (drafted["version"], drafted["status"], drafted["kind"]) == (2, "draft", "linear")
        assert (drafted["payload"], drafted["valid_from"]) == (PAYLOAD, None)
        assert (drafted["created_by"], drafted["published_by"]) == (editor.name, None)
        assert (await editor.get(f"/sensors/{made['id']}")).ok["active_profile"]["version"] == 1
        assert await facts(db, answer) == ["profile.drafted"]

    async def test_bare_payload(self, editor: Caller, sensor: Make) -> None:
        made = await sensor()
        assert (await editor.post(f"/sensors/{made['id']}/profiles", TABLE)).ok["payload"] == TABLE

    async def test_wrong_payload(self, editor: Caller, sensor: Make) -> None:
        body = {"payload": PAYLOAD | {"slope": "steep"}}
        answer = await editor.post(f"/sensors/{(await sensor())['id']}/profiles", body)
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "payload", "slope"])

    async def test_units_are_the_sensors(self, editor: Caller, sensor: Make) -> None:
        url = f"/sensors/{(await sensor())['id']}/profiles"
        refused = await editor.post(url, {"payload": PAYLOAD, "input_unit": "mV", "display_unit": "K"})
        assert [error["loc"] for error in refused.body["errors"]] == [["body", "input_unit"], ["body", "display_unit"]]
        made = (await editor.post(url, {"payload": PAYLOAD, "input_unit": "V", "display_unit": "°C"})).ok
        assert (made["input_unit"], made["display_unit"]) == ("V", "°C")

    async def test_two_at_once_are_two_versions(self, editor: Caller, owner: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        both = await in_line(db, LOCK_SENSORS, draft(editor, made), draft(owner, made))
        assert [one["version"] for one in both] == [2, 3]

    async def test_is_sealed(self, editor: Caller, sensor: Make, db: Tx) -> None:
        await draft(editor, await sensor())
        assert await db.fetchval("select count(*) from conversion_profile where payload is not null") == 0


class TestChange:
    async def test_viewer(self, viewer: Caller, editor: Caller, sensor: Make) -> None:
        drafted = await draft(editor, await sensor())
        assert (await viewer.patch(f"/profiles/{drafted['id']}", {"payload": TABLE})).status == 403
        assert (await viewer.delete(f"/profiles/{drafted['id']}")).status == 403

    async def test_draft(self, editor: Caller, sensor: Make, db: Tx) -> None:
        drafted = await draft(editor, await sensor())
        answer = await editor.patch(f"/profiles/{drafted['id']}", {"payload": TABLE})
        assert (answer.ok["kind"], answer.ok["payload"], answer.ok["version"]) == ("table", TABLE, 2)
        assert await facts(db, answer) == ["profile.updated"]

    async def test_draft_goes(self, editor: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        drafted = await draft(editor, made)
        answer = await editor.delete(f"/profiles/{drafted['id']}")
        assert answer.status == 204
        assert await facts(db, answer) == ["profile.deleted"]
        assert await versions(editor, made) == {1: "active"}

    async def test_published_stays(self, editor: Caller, owner: Caller, sensor: Make) -> None:
        drafted = await draft(editor, await sensor())
        published = (await publish(owner, drafted)).ok
        told(await editor.patch(f"/profiles/{drafted['id']}", {"payload": TABLE}), "profile-published", "Version 2")
        told(await editor.delete(f"/profiles/{drafted['id']}"), "profile-published", "scheduled")
        assert (await editor.get(f"/profiles/{drafted['id']}")).ok | {"backfills": []} == published


class TestPublish:
    async def test_anonymous_stranger_editor(
        self, anonymous: Caller, stranger: Caller, editor: Caller, sensor: Make
    ) -> None:
        drafted = await draft(editor, await sensor())
        assert (await publish(anonymous, drafted)).status == 401
        assert (await publish(stranger, drafted)).status == 404
        refused = await publish(editor, drafted)
        assert (refused.status, refused.code) == (403, "role-too-low")

    async def test_five_seconds_ahead_by_default(self, owner: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        before = datetime.now(UTC)
        answer = await publish(owner, await draft(owner, made))
        published = answer.ok
        assert (published["status"], published["published_by"]) == ("scheduled", owner.name)
        assert timedelta(seconds=5) <= at(published["valid_from"]) - before < timedelta(seconds=10)
        first = (await owner.get(f"/sensors/{made['id']}/profiles")).ok["items"][1]
        assert (first["status"], first["valid_to"]) == ("active", published["valid_from"])
        assert await facts(db, answer) == ["profile.published"]

    async def test_at_a_time(self, owner: Caller, sensor: Make) -> None:
        when = ahead(3600)
        published = (await publish(owner, await draft(owner, await sensor()), valid_from=when)).ok
        assert at(published["valid_from"]) == at(when)

    @pytest.mark.parametrize("seconds", [-1.0, 4.0])
    async def test_too_near(self, owner: Caller, sensor: Make, seconds: float) -> None:
        made = await sensor()
        answer = await publish(owner, await draft(owner, made), valid_from=ahead(seconds))
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "valid_from"])
        assert await versions(owner, made) == {1: "active", 2: "draft"}

    async def test_is_told_by_the_clock_alone(self, owner: Caller, sensor: Make, db: Tx) -> None:
        """No worker runs in these tests."""
        made = await sensor()
        second = (await publish(owner, await draft(owner, made))).ok
        assert await versions(owner, made) == {1: "active", 2: "scheduled"}
        await begin(db, second)
        assert await versions(owner, made) == {1: "deprecated", 2: "active"}
        assert (await owner.get(f"/sensors/{made['id']}")).ok["active_profile"]["version"] == 2
        third = (await publish(owner, await draft(owner, made))).ok
        assert await versions(owner, made) == {1: "deprecated", 2: "active", 3: "scheduled"}
        await begin(db, third, "1 second")
        assert await versions(owner, made) == {1: "deprecated", 2: "deprecated", 3: "active"}
        stored = await db.fetch("select version, status from conversion_profile order by version")
        assert [tuple(row) for row in stored] == [(1, "deprecated"), (2, "active"), (3, "scheduled")]

    async def test_first_version_of_a_sensor_without_one(self, owner: Caller, sensor: Make) -> None:
        made = await sensor(profile=None)
        published = (await publish(owner, await draft(owner, made))).ok
        assert (published["version"], published["status"]) == (1, "scheduled")
        assert published["valid_from"] is not None

    async def test_twice(self, owner: Caller, sensor: Make) -> None:
        drafted = await draft(owner, await sensor())
        assert (await publish(owner, drafted)).status == 200
        told(await publish(owner, drafted), "profile-published", "Version 2 is scheduled")

    async def test_while_another_is_to_come(self, owner: Caller, sensor: Make) -> None:
        made = await sensor()
        other = await draft(owner, made)
        published = (await publish(owner, await draft(owner, made), valid_from=ahead(3600))).ok
        for when in (ahead(60), ahead(7200), None):
            body = {} if when is None else {"valid_from": when}
            refused = await publish(owner, other, **body)
            told(refused, "publication-pending", "Version 3", published["valid_from"].removesuffix("Z"))

    async def test_two_owners_at_once(self, owner: Caller, login: Any, sensor: Make, db: Tx) -> None:
        made, other = await sensor(), await login("owner")
        mine, theirs = await draft(owner, made), await draft(owner, made)
        first, second = await in_line(db, LOCK_SENSORS, publish(owner, mine), publish(other, theirs))
        assert first.ok["status"] == "scheduled"
        told(second, "publication-pending", "Version 2")
        assert await versions(owner, made) == {1: "active", 2: "scheduled", 3: "draft"}

    async def test_units_that_changed_since(self, owner: Caller, sensor: Make) -> None:
        made = await sensor()
        drafted = await draft(owner, made)
        await owner.patch(f"/sensors/{made['id']}", {"display_unit": "K"})
        told(await publish(owner, drafted), "profile-units-differ", "V to °C", "V to K")
        await owner.patch(f"/profiles/{drafted['id']}", {"payload": PAYLOAD})
        assert (await publish(owner, drafted)).ok["display_unit"] == "K"

    async def test_deleted_sensor(self, owner: Caller, sensor: Make) -> None:
        made = await sensor()
        drafted = await draft(owner, made)
        await owner.delete(f"/sensors/{made['id']}")
        assert (await publish(owner, drafted)).status == 404

    async def test_edge_agents_know_it_before_it_begins(
        self, owner: Caller, sensor: Make, agent: Make, device: Device
    ) -> None:
        edge = device(await agent(default=True))
        made = await sensor()
        before = await edge.get("/edge/config")
        published = (await publish(owner, await draft(owner, made))).ok
        assert (await edge.get("/edge/config", If_None_Match=before.headers["ETag"])).status == 200
        (configured,) = (await edge.get("/edge/config")).ok["sensors"]
        assert [one["version"] for one in configured["profiles"]] == [1, 2]
        assert configured["profiles"][0]["valid_to"] == published["valid_from"]
        assert configured["profiles"][1]["payload"] == PAYLOAD


class TestWithdraw:
    async def test_editor(self, editor: Caller, owner: Caller, sensor: Make) -> None:
        published = (await publish(owner, await draft(owner, await sensor()), valid_from=ahead(60))).ok
        assert (await editor.post(f"/profiles/{published['id']}/withdraw")).status == 403

    async def test_the_version_before_goes_on(self, owner: Caller, sensor: Make, db: Tx) -> None:
        made = await sensor()
        published = (await publish(owner, await draft(owner, made), valid_from=ahead(60))).ok
        answer = await owner.post(f"/profiles/{published['id']}/withdraw")
        assert (answer.ok["status"], answer.ok["valid_to"]) == ("deprecated", published["valid_from"])
        assert await facts(db, answer) == ["profile.withdrawn"]
        first = (await owner.get(f"/sensors/{made['id']}/profiles")).ok["items"][1]
        assert (first["status"], first["valid_to"]) == ("active", None)
        third = (await publish(owner, await draft(owner, made), valid_from=ahead(30))).ok
        assert third["version"] == 3

    async def test_too_late(self, owner: Caller, sensor: Make) -> None:
        published = (await publish(owner, await draft(owner, await sensor()))).ok
        refused = await owner.post(f"/profiles/{published['id']}/withdraw")
        told(refused, "profile-not-scheduled", "begins in less than 5 s")

    async def test_what_was_never_to_come(self, owner: Caller, sensor: Make) -> None:
        drafted = await draft(owner, await sensor())
        told(await owner.post(f"/profiles/{drafted['id']}/withdraw"), "profile-not-scheduled", "is draft")
