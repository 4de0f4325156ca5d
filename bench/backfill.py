"""How many samples one core converts anew, PostgreSQL's part of reading and storing included."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from bench.figures import Figure, of_values
from bench.rig import EMAIL, PASSWORD, PROJECT, Rig
from firmware_sim.hub_api import Hub, connected

UNIT: Final = "samples/CPU s"
FLOOR: Final = 1_000_000.0
ROUNDS: Final = 5
CHUNKS: Final = 3_000
SAMPLES_PER_CHUNK: Final = 1_000
TIMEOUT_S: Final = 60.0
PROFILE: Final = {"kind": "custom", "expression": "1/(a + b*log(x) + c*log(x)**3) - 273.15"} | {
    "constants": {"a": 1.129148e-3, "b": 2.34125e-4, "c": 8.76741e-8}
}

Say = Callable[[str], None]


async def measure(say: Say) -> Figure:
    """Convert the same sealed series by Steinhart and Hart's formula, once a round, each time into another revision."""
    async with Rig() as rig:
        await rig.start_hub(("api", "live"), ("worker",))
        sensor_id = (await rig.register(1)).sensors[0]
        database: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(rig.postgres.url)
        try:
            async with connected(rig.hub_url, EMAIL, PASSWORD) as hub:
                capture_id = await _sealed(hub, database, sensor_id)
                profile_id = await _version(hub, sensor_id)
                rates = [await _round(rig, hub, capture_id, profile_id, say) for _ in range(ROUNDS + 1)]
        finally:
            await database.close()
    return of_values("backfill", rates[1:], unit=UNIT, limit=FLOOR, better="higher")


async def _sealed(hub: Hub, database: "asyncpg.Connection[asyncpg.Record]", sensor_id: UUID) -> UUID:
    """Seal a capture and give it chunks, past all sensors."""
    project = await hub.project(PROJECT)
    run = await hub.new_run((await hub.experiment(project.id, "bench")).id, name="bench")
    await hub.begin_run(run.id, [sensor_id])
    capture = await hub.stop_capture((await hub.start_capture(run.id)).id)
    await hub.ask("POST", f"/captures/{capture.id}/seal", {})
    async with asyncio.timeout(TIMEOUT_S):
        while await database.fetchval("select status from capture_session") != "sealed":  # noqa: ASYNC110 - another process seals
            await asyncio.sleep(0.05)
    await database.execute(
        """
        insert into telemetry_captured
          (capture_id, sensor_no, chunk_no, seal, first_t, last_t, n, t_delta, raw, physical, profile_version,
           received_at)
        select capture_id, sensor_no, chunk, 1, chunk * $2::bigint, (chunk + 1) * $2::bigint - 1, $2,
          array_fill(1, array[$2]), raw, array_fill(20.5::float8, array[$2]), 1, 0
        from capture_sensor
        cross join generate_series(0, $1::int - 1) chunk
        cross join lateral (
          select array_agg(k + chunk + 1000 + random() * 20000)
          from generate_series(1, $2) k
        ) as one (raw)
        """,
        CHUNKS,
        SAMPLES_PER_CHUNK,
    )
    return capture.id


async def _version(hub: Hub, sensor_id: UUID) -> str:
    drafted = await _post(hub, f"/sensors/{sensor_id}/profiles", {"payload": PROFILE})
    await _post(hub, f"/profiles/{drafted['id']}/publish", {"mode": "prospective"})
    return drafted["id"]


async def _round(rig: Rig, hub: Hub, capture_id: UUID, profile_id: str, say: Say) -> float:
    """Start a backfill, wait for its end, and divide by what the worker and PostgreSQL used meanwhile."""
    cpu, began = rig.cpu_s(), time.monotonic()
    backfill = await _post(hub, f"/captures/{capture_id}/backfills", {"profile_id": profile_id})
    async with asyncio.timeout(TIMEOUT_S):
        while backfill["status"] != "finished":
            rig.check_alive()
            await asyncio.sleep(0.05)
            backfill = msgspec.json.decode(await hub.ask("GET", f"/backfills/{backfill['id']}"))
    took_s = time.monotonic() - began
    used = {part: seconds - cpu.get(part, 0.0) for part, seconds in rig.cpu_s().items()}
    samples = CHUNKS * SAMPLES_PER_CHUNK
    if backfill["done"] != samples:
        raise RuntimeError(f"{backfill['done']} of {samples} samples were converted")
    rate = samples / (used["worker"] + used["PostgreSQL"])
    costs = " ".join(f"{part} {seconds / samples * 1e6:.2f}" for part, seconds in used.items())
    say(f"backfill: {rate:,.0f} a CPU second, {samples / took_s:,.0f} a second; µs: {costs}")
    return rate


async def _post(hub: Hub, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return await hub.post(path, body, dict[str, Any])
