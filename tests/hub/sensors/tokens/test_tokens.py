"""Tokens of sensors and edge agents over HTTP: viewing, rotating, and who is refused."""

import secrets

import orjson
import pytest
from structlog.testing import capture_logs

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Login, Make
from tests.hub.races import all_behind
from tests.hub.sensors.tokens.conftest import GOOD, REFUSED, WEEK_S, Code, MovedClock, admitted


class TestView:
    async def test_roles(self, anonymous: Caller, login: Login, sensor: Make, code: Code) -> None:
        url = f"/sensors/{(await sensor())['id']}/token"
        assert (await anonymous.get(url)).status == 401
        for role, status, problem in (
            (None, 404, "not-found"),
            ("viewer", 403, "role-too-low"),
            ("editor", 403, "role-too-low"),
            ("owner", 200, ""),
        ):
            caller = await login(role)
            answer = await caller.get(url, X_OTP=await code(caller))
            assert (answer.status, answer.code) == (status, problem)

    async def test_wants_a_second_factor(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        url = f"/sensors/{(await sensor())['id']}/token"
        for headers in ({}, {"X_OTP": "123456"}):
            answer = await owner.get(url, **headers)
            assert (answer.status, answer.code) == (403, "mfa-required")
        once = await code(owner)
        assert (await owner.get(url)).code == "mfa-required"
        assert (await owner.get(url, X_OTP=once)).status == 200
        assert (await owner.get(url, X_OTP=once)).code == "mfa-required"
        assert await db.fetchval("select count(*) from fact where kind = 'sensor.token_viewed'") == 1

    async def test_shows_the_token_and_is_recorded(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        made = await sensor()
        answer = await owner.get(f"/sensors/{made['id']}/token", X_OTP=await code(owner))
        assert answer.ok == {"token": made["token"]}
        assert answer.headers["Cache-Control"] == "no-store"
        fact = await db.fetchrow("select * from fact order by id desc limit 1")
        assert fact is not None
        assert (fact["kind"], str(fact["subject_id"]), str(fact["principal_id"]), fact["details"]) == (
            "sensor.token_viewed",
            made["id"],
            owner.id,
            {},
        )

    async def test_deleted_sensor(self, owner: Caller, sensor: Make, code: Code) -> None:
        made = await sensor()
        await owner.delete(f"/sensors/{made['id']}")
        assert (await owner.get(f"/sensors/{made['id']}/token", X_OTP=await code(owner))).status == 404

    async def test_one_that_does_not_open(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        made, other = await sensor(), await sensor()
        await db.execute(
            "update sensor set token_sealed = (select token_sealed from sensor where id = $1::text::uuid)"
            " where id = $2::text::uuid",
            other["id"],
            made["id"],
        )
        with capture_logs() as events:
            answer = await owner.get(f"/sensors/{made['id']}/token", X_OTP=await code(owner))
        assert (answer.status, answer.code) == (500, "internal-fault")
        assert set(answer.body) == {"type", "title", "status", "detail", "instance"}
        assert "seal" not in orjson.dumps(answer.body).decode()
        errors = [event["event"] for event in events if event["log_level"] == "error"]
        assert errors == ["a sealed text does not open", "request failed"]
        assert await db.fetchval("select count(*) from fact where kind = 'sensor.token_viewed'") == 0


class TestRotate:
    async def test_roles(self, anonymous: Caller, login: Login, sensor: Make, code: Code) -> None:
        url = f"/sensors/{(await sensor())['id']}/rotate-token"
        assert (await anonymous.post(url)).status == 401
        for role, status in ((None, 404), ("viewer", 403), ("editor", 403), ("owner", 200)):
            caller = await login(role)
            assert (await caller.post(url, X_OTP=await code(caller))).status == status

    async def test_wants_a_second_factor(self, owner: Caller, sensor: Make, device: Device) -> None:
        made = await sensor()
        answer = await owner.post(f"/sensors/{made['id']}/rotate-token")
        assert (answer.status, answer.code) == (403, "mfa-required")
        assert await admitted(device(made)) == GOOD

    async def test_ends_the_old_token_at_once(self, owner: Caller, sensor: Make, device: Device, code: Code) -> None:
        made = await sensor()
        assert await admitted(device(made)) == GOOD
        rotated = (await owner.post(f"/sensors/{made['id']}/rotate-token", X_OTP=await code(owner))).ok
        assert rotated["old_token_until"] is None
        assert rotated["token"] != made["token"]
        assert await admitted(device(made), within_s=1.0) == REFUSED
        assert await admitted(device(made | {"token": rotated["token"]})) == GOOD
        shown = (await owner.get(f"/sensors/{made['id']}/token", X_OTP=await code(owner))).ok
        assert shown["token"] == rotated["token"]

    async def test_is_recorded_without_a_token(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        made = await sensor()
        await owner.post(f"/sensors/{made['id']}/rotate-token", {"overlap_s": 60}, X_OTP=await code(owner))
        fact = await db.fetchrow("select kind, subject_id, details from fact order by id desc limit 1")
        assert fact is not None
        assert (fact["kind"], str(fact["subject_id"]), fact["details"]) == (
            "sensor.token_rotated",
            made["id"],
            {"overlap_s": 60},
        )

    async def test_own_token(self, owner: Caller, sensor: Make, device: Device, code: Code) -> None:
        made, own = await sensor(), secrets.token_urlsafe(32)
        url = f"/sensors/{made['id']}/rotate-token"
        assert (await owner.post(url, {"token": own}, X_OTP=await code(owner))).ok["token"] == own
        assert await admitted(device(made | {"token": own})) == GOOD

    @pytest.mark.parametrize("body", [{"token": "short"}, {"overlap_s": -1}, {"overlap_s": WEEK_S + 1}])
    async def test_bad_payload(
        self, owner: Caller, sensor: Make, device: Device, code: Code, body: dict[str, object]
    ) -> None:
        made = await sensor()
        answer = await owner.post(f"/sensors/{made['id']}/rotate-token", body, X_OTP=await code(owner))
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", *body])
        assert await admitted(device(made)) == GOOD

    async def test_token_in_use(self, owner: Caller, sensor: Make, code: Code) -> None:
        made, other = await sensor(), await sensor()
        url = f"/sensors/{made['id']}/rotate-token"
        for taken in (made["token"], other["token"]):
            answer = await owner.post(url, {"token": taken}, X_OTP=await code(owner))
            assert (answer.status, answer.code) == (409, "sensor-token-taken")
        # Nor may anybody take a token that is still good for another sensor.
        await owner.post(url, {"overlap_s": 60}, X_OTP=await code(owner))
        answer = await owner.post(
            f"/sensors/{other['id']}/rotate-token", {"token": made["token"]}, X_OTP=await code(owner)
        )
        assert (answer.status, answer.code) == (409, "sensor-token-taken")

    async def test_repeated_with_its_key(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        url = f"/sensors/{(await sensor())['id']}/rotate-token"
        first = (await owner.post(url, X_OTP=await code(owner), Idempotency_Key="k")).ok
        assert (await owner.post(url, X_OTP=await code(owner), Idempotency_Key="k")).ok == first
        assert await db.fetchval("select count(*) from fact where kind = 'sensor.token_rotated'") == 1


class TestAtTheSameTime:
    @pytest.mark.parametrize("overlap_s", [0, WEEK_S])
    async def test_the_last_rotation_counts(
        self, owner: Caller, sensor: Make, device: Device, code: Code, db: Tx, overlap_s: int
    ) -> None:
        made = await sensor()
        codes = [await code(owner) for _ in range(3)]
        url, body = f"/sensors/{made['id']}/rotate-token", {"overlap_s": overlap_s}
        answers = await all_behind(
            db, "select from sensor for update", *(owner.post(url, body, X_OTP=each) for each in codes[:2])
        )
        made_tokens = {answer.ok["token"] for answer in answers}
        last = (await owner.get(f"/sensors/{made['id']}/token", X_OTP=codes[2])).ok["token"]
        (first,) = made_tokens - {last}
        assert await admitted(device(made | {"token": last})) == GOOD
        assert await admitted(device(made | {"token": first})) == (GOOD if overlap_s else REFUSED)
        assert await admitted(device(made)) == REFUSED

    async def test_viewing_shows_one_or_the_other(
        self, login: Login, sensor: Make, device: Device, code: Code, db: Tx
    ) -> None:
        made = await sensor()
        viewer, rotator = await login("owner"), await login("owner")
        codes = [await code(viewer) for _ in range(4)]
        url = f"/sensors/{made['id']}"
        *views, one, two = await all_behind(
            db,
            "lock table sensor in access exclusive mode",
            *[viewer.get(f"{url}/token", X_OTP=each) for each in codes[:3]],
            *[rotator.post(f"{url}/rotate-token", X_OTP=await code(rotator)) for _ in range(2)],
        )
        made_tokens = {one.ok["token"], two.ok["token"]}
        assert {view.ok["token"] for view in views} <= made_tokens | {made["token"]}
        last = (await viewer.get(f"{url}/token", X_OTP=codes[3])).ok["token"]
        assert last in made_tokens
        assert await admitted(device(made | {"token": last})) == GOOD

    async def test_two_sensors_cannot_take_one_token(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        made, own = [await sensor(), await sensor()], secrets.token_urlsafe(32)
        answers = await all_behind(
            db,
            "select from sensor for update",
            *[
                owner.post(f"/sensors/{each['id']}/rotate-token", {"token": own}, X_OTP=await code(owner))
                for each in made
            ],
        )
        assert sorted((answer.status, answer.code) for answer in answers) == [(200, ""), (409, "sensor-token-taken")]

    async def test_rotating_a_sensor_that_is_deleted(self, owner: Caller, sensor: Make, code: Code, db: Tx) -> None:
        made = await sensor()
        rotated, deleted = await all_behind(
            db,
            "select from sensor for update",
            owner.post(f"/sensors/{made['id']}/rotate-token", X_OTP=await code(owner)),
            owner.delete(f"/sensors/{made['id']}"),
        )
        assert deleted.status == 204
        assert rotated.status in {200, 404}


class TestRotateOfAgent:
    async def test_roles(self, anonymous: Caller, login: Login, agent: Make, code: Code) -> None:
        url = f"/edge-agents/{(await agent())['id']}/rotate-token"
        assert (await anonymous.post(url)).status == 401
        for role, status in ((None, 404), ("viewer", 403), ("editor", 403), ("owner", 200)):
            caller = await login(role)
            assert (await caller.post(url, X_OTP=await code(caller))).status == status

    async def test_wants_a_second_factor(self, owner: Caller, agent: Make) -> None:
        answer = await owner.post(f"/edge-agents/{(await agent())['id']}/rotate-token")
        assert (answer.status, answer.code) == (403, "mfa-required")

    async def test_ends_the_old_token_at_once(
        self, owner: Caller, agent: Make, device: Device, code: Code, db: Tx
    ) -> None:
        made = await agent()
        assert await admitted(device(made)) == GOOD
        rotated = (await owner.post(f"/edge-agents/{made['id']}/rotate-token", X_OTP=await code(owner))).ok
        assert rotated["old_token_until"] is None
        assert await admitted(device(made)) == REFUSED
        assert await admitted(device(made | {"token": rotated["token"]})) == GOOD
        fact = await db.fetchrow("select kind, subject_id, details from fact order by id desc limit 1")
        assert fact is not None
        assert (fact["kind"], str(fact["subject_id"]), fact["details"]) == (
            "edge_agent.token_rotated",
            made["id"],
            {"overlap_s": 0},
        )

    async def test_overlap(self, owner: Caller, agent: Make, device: Device, code: Code, clock: MovedClock) -> None:
        made = await agent()
        url = f"/edge-agents/{made['id']}/rotate-token"
        rotated = (await owner.post(url, {"overlap_s": 60}, X_OTP=await code(owner))).ok
        assert await admitted(device(made)) == GOOD
        again = (await owner.post(url, {"overlap_s": 60}, X_OTP=await code(owner))).ok
        assert await admitted(device(made)) == REFUSED
        assert await admitted(device(made | {"token": rotated["token"]})) == GOOD
        clock.ahead_s = 61
        assert await admitted(device(made | {"token": rotated["token"]})) == REFUSED
        assert await admitted(device(made | {"token": again["token"]})) == GOOD

    @pytest.mark.parametrize("overlap_s", [0, WEEK_S])
    async def test_at_the_same_time(
        self, owner: Caller, agent: Make, device: Device, code: Code, db: Tx, overlap_s: int
    ) -> None:
        made = await agent()
        codes = [await code(owner), await code(owner)]
        url, body = f"/edge-agents/{made['id']}/rotate-token", {"overlap_s": overlap_s}
        answers = await all_behind(
            db, "select from edge_agent for update", *(owner.post(url, body, X_OTP=each) for each in codes)
        )
        good = [await admitted(device(made | {"token": answer.ok["token"]})) for answer in answers]
        assert sorted(each == GOOD for each in good) == ([True, True] if overlap_s else [False, True])
        assert await admitted(device(made)) == REFUSED
