"""Verifying a sealed capture finds every bit that is not what was sealed, and says where."""

import asyncio
import uuid
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.sealing.physical import ulps
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.sealing.conftest import Recorded, seal_all


@pytest.fixture
async def sealed(hub: Hub, owner: Caller, recorded: Recorded) -> Recorded:
    """A capture with two seals, each of which added samples."""
    samples = await recorded.spread(200)
    await recorded.capture()
    await owner.post(f"/captures/{recorded.id}/seal")
    await seal_all(hub)
    await recorded.publish([(samples[7][0] + 1, 0.25)])
    await owner.post(f"/captures/{recorded.id}/seal")
    await seal_all(hub)
    return recorded


async def verified(user: Caller, sealed: Recorded) -> dict[str, Any]:
    """Verify over the API."""
    return (await user.post(f"/captures/{sealed.id}/verify")).ok


class TestWho:
    async def test_members(self, anonymous: Caller, stranger: Caller, viewer: Caller, sealed: Recorded) -> None:
        path = f"/captures/{sealed.id}/verify"
        assert (await anonymous.post(path)).status == 401
        assert (await stranger.post(path)).status == 404
        assert (await viewer.post(path)).ok["holds"]

    async def test_only_what_is_sealed(self, owner: Caller, recorded: Recorded) -> None:
        answer = await owner.post(f"/captures/{await recorded.capture()}/verify")
        assert (answer.status, answer.code) == (409, "capture-not-sealed")


class TestWhole:
    async def test_says_what_held(self, owner: Caller, sealed: Recorded, db: Tx) -> None:
        found = await verified(owner, sealed)
        assert (found["holds"], found["faults"]) == (True, [])
        assert [(one["seal"], one["samples"], one["count_holds"], one["hash_holds"]) for one in found["series"]] == [
            (1, 200, True, True),
            (2, 201, True, True),
        ]
        (physical,) = found["physical"]
        assert (physical["kind"], physical["samples"], physical["exact"], physical["differing"]) == (
            "linear",
            201,
            201,
            0,
        )
        assert await db.fetchval("select details from fact where kind = 'capture.verified'") == {
            "holds": True,
            "samples": 201,
        }


class TestForged:
    @pytest.mark.parametrize(
        "forgery",
        [
            "update telemetry_captured set raw[1] = raw[1] + 1e-9 where chunk_no = 0",
            "update telemetry_captured set raw[1] = -raw[1] where chunk_no = 0",
            "update telemetry_captured set first_t = first_t + 1, last_t = last_t + 1 where chunk_no = 2",
            "delete from telemetry_captured where chunk_no = 1",
            "update telemetry_captured set seal = 2 where chunk_no = 1",
            "update capture_manifest set n = n + 1 where seal = 1",
            "update telemetry_captured set raw[1] = null where chunk_no = 1",
            "update telemetry_captured set raw = raw[2:] where chunk_no = 1",
            "insert into telemetry_captured select capture_id, sensor_no, 900, seal, first_t, last_t, n, t_delta, raw,"
            " physical, status, profile_version, received_at, meta from telemetry_captured where chunk_no = 1",
        ],
    )
    async def test_a_series(self, owner: Caller, sealed: Recorded, db: Tx, forgery: str) -> None:
        await db.execute(forgery)
        found = await verified(owner, sealed)
        assert not found["holds"]
        assert not all(one["count_holds"] and one["hash_holds"] for one in found["series"])

    async def test_a_manifest(self, owner: Caller, sealed: Recorded, db: Tx) -> None:
        await db.execute(r"update capture_seal set sha256 = '\x00' where seal = 1")
        found = await verified(owner, sealed)
        assert (found["holds"], found["faults"]) == (False, ["The manifest of seal 1 is not the one that was sealed"])

    @pytest.mark.parametrize(
        "forgery",
        [
            "update telemetry_captured set physical[2] = physical[2] + 1e-12 where chunk_no = 1",
            r"update telemetry_captured set status = set_byte(decode(repeat('00', n), 'hex'), 1, 1) where chunk_no = 1",
        ],
    )
    async def test_a_physical_value(self, owner: Caller, sealed: Recorded, db: Tx, forgery: str) -> None:
        await db.execute(forgery)
        found = await verified(owner, sealed)
        assert (found["holds"], found["physical"][0]["differing"]) == (False, 1)
        assert all(one["hash_holds"] for one in found["series"])

    async def test_a_revision_that_lacks_chunks(self, owner: Caller, sealed: Recorded, db: Tx) -> None:
        await db.execute(
            "insert into capture_revision (capture_id, sensor_no, revision, profile_version)"
            " select capture_id, sensor_no, 2, 1 from capture_manifest where seal = 1"
        )
        chunks = await db.fetchval("select count(*) from telemetry_captured")
        found = await verified(owner, sealed)
        assert found["faults"] == [f"Revision 2 of {sealed.sensor['name']} lacks {chunks} chunks"]

    async def test_the_hub_itself_may_not(self, hub: Hub, sealed: Recorded) -> None:
        for statement in (
            "update telemetry_captured set n = n",
            "delete from telemetry_captured",
            "update capture_seal set samples = 0",
            "delete from capture_manifest",
        ):
            async with hub.db.connection() as connection:
                with pytest.raises(Exception, match="permission denied"):
                    await connection.execute(statement)
        assert sealed.id


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        (1.0, np.nextafter(1.0, 2), 1),
        (0.0, 5e-324, 1),
        (-5e-324, 5e-324, 3),
        (1.0, 1.0, 0),
        (-1.0, 1.0, 2**63 - 2**55),
        (float("nan"), 1.0, float("inf")),
    ],
)
def test_distance_in_ulp(one: float, other: float, steps: float) -> None:
    found = ulps(np.array([one]), np.array([other]))[0]
    assert found == steps or (steps > 1e6 and found > 1e6)


class TestCommand:
    """`etp verify`."""

    async def run(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, capture: str) -> Result:
        """Run the command on the hub's database."""
        for name in ("database_url", "redis_url", "data_dir"):
            monkeypatch.setenv(f"ETP_{name.upper()}", str(getattr(settings, name)))
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["verify", capture]))

    async def test_holds(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, sealed: Recorded) -> None:
        result = await self.run(settings, monkeypatch, sealed.id)
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert lines[2] == f"  seal 2  {sealed.sensor['name']}: 201 samples, count holds, SHA-256 holds"
        assert lines[-2].endswith("linear version 1: 201 of 201 bit for bit, 0 differ")
        assert lines[-1] == "everything holds"

    async def test_does_not_hold(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, sealed: Recorded, db: Tx
    ) -> None:
        await db.execute("update telemetry_captured set raw[1] = 99 where chunk_no = 0")
        result = await self.run(settings, monkeypatch, sealed.id)
        assert result.exit_code == 1
        assert "SHA-256 DIFFERS" in result.output
        assert result.output.splitlines()[-1] == "IT DOES NOT HOLD"

    async def test_without_a_seal(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, recorded: Recorded
    ) -> None:
        assert (await self.run(settings, monkeypatch, await recorded.capture())).exit_code == 2
        assert (await self.run(settings, monkeypatch, str(uuid.uuid4()))).exit_code == 2
