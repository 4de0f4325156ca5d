"""Profiles over HTTP: reading them, and who may."""

from typing import Any

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Forget, Make

TABLE = {"kind": "table", "points": [[8.0, 1.0], [0.0, 0.0]], "extrapolation": "reject", "input_range": [0.0, 7.0]}


async def profile_of(caller: Caller, sensor: dict[str, Any]) -> dict[str, Any]:
    return (await caller.get(f"/sensors/{sensor['id']}/profiles")).ok["items"][0]


class TestList:
    async def test_anonymous_and_stranger(self, anonymous: Caller, stranger: Caller, sensor: Make) -> None:
        url = f"/sensors/{(await sensor())['id']}/profiles"
        assert (await anonymous.get(url)).status == 401
        assert (await stranger.get(url)).status == 404

    async def test_first_version_is_active_from_the_beginning(self, editor: Caller, sensor: Make) -> None:
        made = await sensor(profile=TABLE)
        (profile,) = (await editor.get(f"/sensors/{made['id']}/profiles")).ok["items"]
        assert profile["payload"] == TABLE | {"points": [[0.0, 0.0], [8.0, 1.0]]}
        assert (profile["version"], profile["kind"], profile["status"]) == (1, "table", "active")
        assert (profile["valid_from"], profile["valid_to"]) == (None, None)
        assert (profile["input_unit"], profile["display_unit"]) == ("V", "°C")
        assert made["active_profile"] == {"id": profile["id"], "version": 1, "kind": "table"}

    async def test_none(self, editor: Caller, sensor: Make) -> None:
        made = await sensor(profile=None)
        assert (await editor.get(f"/sensors/{made['id']}/profiles")).ok["items"] == []


class TestRead:
    async def test_anonymous_and_stranger(
        self, anonymous: Caller, editor: Caller, stranger: Caller, sensor: Make
    ) -> None:
        url = f"/profiles/{(await profile_of(editor, await sensor()))['id']}"
        assert (await anonymous.get(url)).status == 401
        assert (await stranger.get(url)).status == 404

    async def test_payload_would_give_raw_values_away(
        self, editor: Caller, viewer: Caller, sensor: Make, db: Tx, forget: Forget
    ) -> None:
        made = await sensor()
        profile = await profile_of(editor, made)
        url = f"/profiles/{profile['id']}"
        assert (await editor.get(url)).ok == profile
        seen = (await viewer.get(url)).ok
        assert seen == {name: value for name, value in profile.items() if name != "payload"}
        assert await profile_of(viewer, made) == seen
        await db.execute("update project set raw_policy = 'open'")
        forget()
        assert (await viewer.get(url)).ok == profile

    async def test_outlives_its_sensor(self, owner: Caller, sensor: Make) -> None:
        made = await sensor()
        profile = await profile_of(owner, made)
        await owner.delete(f"/sensors/{made['id']}")
        assert (await owner.get(f"/profiles/{profile['id']}")).ok == profile
