"""The snapshot that ingest works by: profiles that cannot be read, versions that begin while it is kept."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from hub.conversion.sealing import seal_payload
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.telemetry import registry
from hub.telemetry.fabric import FABRIC
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make
from tests.hub.past_rules import past_rules
from tests.hub.races import until
from tests.hub.telemetry.conftest import Wait, send


async def values(caller: Caller, sensor: dict[str, Any]) -> list[tuple[float, float | None, str]]:
    shown = (await caller.get(f"/sensors/{sensor['id']}/samples")).ok
    return list(zip(shown["raw"], shown["physical"], shown["status"], strict=True))


async def replace(db: Tx, sensor: dict[str, Any], sealed: bytes) -> None:
    """Put another sealed payload into a sensor's profile, as a broken disk or a wrong restore might."""
    async with past_rules(db):
        await db.execute(
            "update conversion_profile set payload_sealed = $2 where sensor_id = $1", uuid.UUID(sensor["id"]), sealed
        )
    await db.execute("update registry_version set version = version + 1")


class TestBrokenProfile:
    @pytest.mark.parametrize("payload", [{"kind": "linear", "slope": "steep"}, {"kind": "spline"}, None])
    async def test_costs_nobody_else(
        self, app: web.Application, owner: Caller, sensor: Make, device: Device, stored: Wait, db: Tx, payload: Any
    ) -> None:
        broken, whole = await sensor(), await sensor()
        profile_id = await db.fetchval(
            "select id from conversion_profile where sensor_id = $1", uuid.UUID(broken["id"])
        )
        sealed = b"garbage" if payload is None else await seal_payload(app[HUB].vault, profile_id, payload)
        await replace(db, broken, sealed)
        await app[FABRIC].registry.refresh()
        for one in (broken, whole):
            assert (await send(device(one), {"samples": [{"t": time.time(), "v": 2.0}]})).status == 202
            await stored(one)
        assert await values(owner, whole) == [(2.0, 5.0, "ok")]
        assert await values(owner, broken) == [(2.0, None, "conversion_error")]

    async def test_edge_agents_are_still_told_of_the_others(
        self, sensor: Make, agent: Make, device: Device, db: Tx
    ) -> None:
        edge = device(await agent(default=True))
        broken, whole = await sensor(name="broken"), await sensor(name="whole")
        await replace(db, broken, b"garbage")
        told = {one["id"]: one["profiles"] for one in (await edge.get("/edge/config")).ok["sensors"]}
        assert told[broken["id"]][0]["payload"] == {}
        assert told[whole["id"]][0]["payload"]["slope"] == 2.0


class TestNewVersion:
    async def test_applies_by_the_samples_own_time(
        self, app: web.Application, owner: Caller, sensor: Make, device: Device, stored: Wait, db: Tx
    ) -> None:
        """It is known within the registry's poll, long before it begins; both versions serve from then on."""
        made = await sensor()
        drafted = await owner.post(f"/sensors/{made['id']}/profiles", {"kind": "linear", "slope": 10, "intercept": 0})
        published = (await owner.post(f"/profiles/{drafted.ok['id']}/publish", {"mode": "prospective"})).ok

        async def known() -> bool:
            sensors = app[FABRIC].registry.snapshot.by_id
            return uuid.UUID(made["id"]) in sensors and len(sensors[uuid.UUID(made["id"])].profiles) == 2

        await until(known, within_s=3)
        begins = await db.fetchval("select extract(epoch from $1::text::timestamptz)::float8", published["valid_from"])
        samples = [{"t": begins - 0.000001, "v": 1.0}, {"t": begins, "v": 1.0}]
        assert (await send(device(made), {"samples": samples})).status == 202
        await stored(made)
        to = "2100-01-01T00:00:00Z"
        shown = (await owner.get(f"/sensors/{made['id']}/samples?from={published['created_at']}&to={to}")).ok
        assert shown["physical"] == [3.0, 10.0]


class TestDatabaseThatHangs:
    async def test_who_waits_shares_one_look_and_what_became_of_it(
        self,
        app: web.Application,
        client: TestClient[Any, Any],
        sensor: Make,
        device: Device,
        db: Tx,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A token that is known is good; another one may be, so it is not refused."""
        monkeypatch.setattr(registry, "LOOK_S", 0.4)
        known = device(await sensor())
        body = {"samples": [{"t": time.time(), "v": 1.0}]}
        assert (await send(known, body)).status == 202
        async with db.transaction():
            await db.execute("lock table registry_version in access exclusive mode")
            began = time.monotonic()
            asking = [asyncio.create_task(send(Caller(client, f"etps_unknown{i}"), body)) for i in range(2)]
            await asyncio.sleep(0.1)
            asking += [asyncio.create_task(send(Caller(client, f"etps_unknown{i}"), body)) for i in range(2, 6)]
            answers = await asyncio.gather(*asking)
            took_s = time.monotonic() - began
            assert (await send(known, body)).status == 202
        assert [(each.status, each.code) for each in answers] == [(503, "tokens-unavailable")] * 6
        assert {each.headers["Retry-After"] for each in answers} == {"2"}
        assert took_s < 1.2  # a look that was under way, and one more at most
        assert (await send(Caller(client, "etps_unknown"), body)).status == 401


class TestLimits:
    def test_every_cache_looks_in_time(self) -> None:
        """A version begins five seconds ahead at the earliest: whoever keeps profiles looks for new ones before."""
        from edge.settings import EdgeSettings  # noqa: PLC0415 - only this test knows both programs
        from hub.conversion.models import LEAD_S  # noqa: PLC0415
        from hub.settings import Settings  # noqa: PLC0415

        for settings, name in ((Settings, "registry_poll_s"), (EdgeSettings, "edge_config_interval_s")):
            (most,) = [rule.le for rule in settings.model_fields[name].metadata if hasattr(rule, "le")]
            assert most < LEAD_S
