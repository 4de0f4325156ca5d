"""When a token is good no more: the overlap after a rotation, and an end of its own."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from hub.kit.context import HUB
from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.sensors.tokens.conftest import GOOD, REFUSED, WEEK_S, Code, MovedClock, admitted, ingest
from tests.hub.telemetry.conftest import send


class TestOverlap:
    async def test_both_are_good_until_it_ends(
        self, owner: Caller, sensor: Make, device: Device, code: Code, clock: MovedClock
    ) -> None:
        made = await sensor()
        url = f"/sensors/{made['id']}/rotate-token"
        rotated = (await owner.post(url, {"overlap_s": 60}, X_OTP=await code(owner))).ok
        until = datetime.fromisoformat(rotated["old_token_until"])
        assert abs(until - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(seconds=10)
        fresh = made | {"token": rotated["token"]}
        clock.ahead_s = 45
        assert await admitted(device(made)) == GOOD
        assert await admitted(device(fresh)) == GOOD
        clock.ahead_s = 61
        assert await admitted(device(made)) == REFUSED
        assert await admitted(device(fresh)) == GOOD

    async def test_rotating_again_ends_the_older_one(
        self, owner: Caller, sensor: Make, device: Device, code: Code
    ) -> None:
        made = await sensor()
        url = f"/sensors/{made['id']}/rotate-token"
        second = (await owner.post(url, {"overlap_s": WEEK_S}, X_OTP=await code(owner))).ok
        third = (await owner.post(url, {"overlap_s": WEEK_S}, X_OTP=await code(owner))).ok
        assert await admitted(device(made)) == REFUSED
        assert await admitted(device(made | {"token": second["token"]})) == GOOD
        assert await admitted(device(made | {"token": third["token"]})) == GOOD
        last = (await owner.post(url, X_OTP=await code(owner))).ok
        for token in (second["token"], third["token"]):
            assert await admitted(device(made | {"token": token})) == REFUSED
        assert await admitted(device(made | {"token": last["token"]})) == GOOD

    async def test_ends_while_the_database_is_away(
        self, owner: Caller, sensor: Make, device: Device, code: Code, clock: MovedClock, app: web.Application
    ) -> None:
        made = await sensor()
        url = f"/sensors/{made['id']}/rotate-token"
        rotated = (await owner.post(url, {"overlap_s": 60}, X_OTP=await code(owner))).ok
        old, fresh = device(made), device(made | {"token": rotated["token"]})
        assert (await ingest(old), await ingest(fresh)) == (202, 202)
        await app[HUB].db.close()
        assert (await owner.get("/sensors")).status == 503
        assert (await ingest(old), await ingest(fresh)) == (202, 202)
        clock.ahead_s = 61
        assert (await ingest(old), await ingest(fresh)) == (401, 202)

    async def test_of_a_deleted_sensor(self, owner: Caller, sensor: Make, device: Device, code: Code) -> None:
        made = await sensor()
        url = f"/sensors/{made['id']}/rotate-token"
        await owner.post(url, {"overlap_s": 60}, X_OTP=await code(owner))
        await owner.delete(f"/sensors/{made['id']}")
        assert await admitted(device(made)) == REFUSED


class TestExpiry:
    async def test_it_is_good_until_it_ends(
        self, owner: Caller, sensor: Make, device: Device, clock: MovedClock
    ) -> None:
        end = datetime.now(UTC) + timedelta(seconds=300)
        made = await sensor(token_expires_at=end.isoformat())
        assert datetime.fromisoformat(made["token_expires_at"]) == end
        assert await admitted(device(made)) == GOOD
        clock.ahead_s = 290
        assert await admitted(device(made)) == GOOD
        clock.ahead_s = 300
        assert await admitted(device(made)) == REFUSED
        answer = await send(device(made), {"samples": []})
        assert (answer.code, answer.body["title"]) == ("token-expired", "This device token is good no more")
        assert "it has ended" in (await device(made).post(f"/sensors/{made['id']}/heartbeat")).body["detail"]
        assert (await owner.get(f"/sensors/{made['id']}")).ok["token_expires_at"] == made["token_expires_at"]

    async def test_none_has_no_end(self, sensor: Make) -> None:
        assert (await sensor())["token_expires_at"] is None

    async def test_it_ends_while_the_database_is_away(
        self, sensor: Make, device: Device, clock: MovedClock, app: web.Application
    ) -> None:
        made = await sensor(token_expires_at=(datetime.now(UTC) + timedelta(seconds=60)).isoformat())
        assert await ingest(device(made)) == 202
        await app[HUB].db.close()
        assert await ingest(device(made)) == 202
        clock.ahead_s = 61
        assert await ingest(device(made)) == 401

    async def test_an_owner_moves_the_end(
        self, owner: Caller, editor: Caller, sensor: Make, device: Device, clock: MovedClock, db: Tx
    ) -> None:
        made = await sensor()
        url = f"/sensors/{made['id']}"
        soon, later = (datetime.now(UTC) + timedelta(seconds=after_s) for after_s in (60, 120))
        answer = await editor.patch(url, {"token_expires_at": soon.isoformat()})
        assert (answer.status, answer.code) == (403, "role-too-low")
        assert (await owner.patch(url, {"token_expires_at": soon.isoformat()})).ok["token_expires_at"] is not None
        assert (await owner.patch(url, {"calibration_notes": "x"})).ok["token_expires_at"] is not None
        clock.ahead_s = 61
        assert await admitted(device(made)) == REFUSED
        # Good again at once, though the registry's snapshot may not know of it yet.
        await owner.patch(url, {"token_expires_at": later.isoformat()})
        assert await ingest(device(made)) == 202
        assert (await owner.patch(url, {"token_expires_at": None})).ok["token_expires_at"] is None
        clock.ahead_s = 121
        assert await admitted(device(made)) == GOOD
        facts = await db.fetch("select details from fact where kind = 'sensor.updated' order by id")
        ends = [fact["details"]["after"].get("token_expires_at", "") for fact in facts]
        assert [end and datetime.fromisoformat(end) for end in ends] == [soon, "", later, None]

    async def test_a_rotated_one_ends_no_later_than_by_itself(
        self, owner: Caller, sensor: Make, device: Device, code: Code, clock: MovedClock
    ) -> None:
        first, second = (datetime.now(UTC) + timedelta(seconds=after_s) for after_s in (60, 120))
        made = await sensor(token_expires_at=first.isoformat())
        url = f"/sensors/{made['id']}"
        body = {"overlap_s": 3600, "token_expires_at": second.isoformat()}
        rotated = (await owner.post(f"{url}/rotate-token", body, X_OTP=await code(owner))).ok
        assert datetime.fromisoformat(rotated["old_token_until"]) == first
        assert datetime.fromisoformat((await owner.get(url)).ok["token_expires_at"]) == second
        fresh = device(made | {"token": rotated["token"]})
        assert (await admitted(device(made)), await admitted(fresh)) == (GOOD, GOOD)
        clock.ahead_s = 61
        assert (await admitted(device(made)), await admitted(fresh)) == (REFUSED, GOOD)
        clock.ahead_s = 121
        assert await admitted(fresh) == REFUSED
        # Without an end the next one has none.
        await owner.post(f"{url}/rotate-token", X_OTP=await code(owner))
        assert (await owner.get(url)).ok["token_expires_at"] is None

    async def test_an_end_that_is_over(self, owner: Caller, project: str, sensor: Make, code: Code) -> None:
        over = {"token_expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
        made = await sensor()
        url = f"/sensors/{made['id']}"
        new = {"name": "another", "type": "other", "input_unit": "", "display_unit": ""}
        for answer in (
            await owner.post(f"/projects/{project}/sensors", new | over),
            await owner.patch(url, over),
            await owner.post(f"{url}/rotate-token", over, X_OTP=await code(owner)),
        ):
            assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "token_expires_at"])
