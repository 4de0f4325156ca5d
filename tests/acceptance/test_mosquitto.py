"""The whole way with the deployed broker, whose accounts the hub's worker keeps: sharing agents, a rotated token."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest

from firmware_sim.device import Identity
from hub.admin import ensure_owner
from hub.settings import Settings
from tests.acceptance.journal import Journal, Sample, say, seeded
from tests.acceptance.load import Stream, over_broker
from tests.acceptance.system import LINEAR, PASSWORD, Bench, System, eventually
from tests.mosquitto import Mosquitto
from tests.services import run

pytestmark = pytest.mark.slow

SENSORS = 8


class Deployed:
    """A running system with Mosquitto; edge agents are started by the tests."""

    def __init__(self, folder: Path) -> None:
        self.system = System(folder, ETP_MOSQUITTO_DIR=str(folder / "mosquitto"), ETP_MOSQUITTO_INSTANCES="2")
        self.mosquitto = Mosquitto(folder / "mosquitto", self.system.mqtt_port)

    async def start(self) -> None:
        await self.mosquitto.start()
        await self.system.start()

    async def stop(self) -> None:
        await self.system.stop()
        await self.mosquitto.stop()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    started = Deployed(tmp_path_factory.mktemp("deployed"))
    try:
        run(started.start())
        yield started
    finally:
        run(started.stop())


@pytest.fixture
def system(deployed: Deployed) -> System:
    return deployed.system


def environment(bench: Bench, folder: Path, instance: int = 0) -> Mapping[str, str]:
    token = folder / f"token-{bench.agent.id}"
    if not token.exists():
        token.write_text(bench.agent.token or "")
    return {
        "ETP_EDGE_AGENT_ID": str(bench.agent.id),
        "ETP_EDGE_TOKEN_FILE": str(token),
        "ETP_EDGE_DIR": str(folder / f"edge-{bench.agent.id}-{instance}"),
        "ETP_EDGE_INSTANCE": str(instance),
        "ETP_EDGE_BACKOFF_MAX_S": "1",
        "ETP_EDGE_STATUS_INTERVAL_S": "1",
    }


async def rotated(system: System, bench: Bench) -> str:
    """Rotate the agent's token as an owner with a second factor; returns the new one."""
    settings = Settings(
        _env_file=None, database_url=system.postgres.url, redis_url=system.valkey.url, data_dir=system.folder / "data"
    )
    await ensure_owner(settings, email="second@example.com", name="Second", password=PASSWORD, project="rotated")
    async with aiohttp.ClientSession(base_url=f"{system.hub_url}/api/v1/", raise_for_status=True) as session:

        async def post(path: str, body: object, **headers: str) -> Any:
            async with session.post(path, json=body, headers=headers) as answer:
                return await answer.json()

        login = await post("auth/login", {"email": "second@example.com", "password": PASSWORD})
        session.headers["Authorization"] = f"Bearer {login['access_token']}"
        secret = (await post("auth/mfa/enroll", {"password": PASSWORD}))["secret"]
        codes = (await post("auth/mfa/confirm", {"otp": pyotp.TOTP(secret).now()}))["recovery_codes"]
        path = f"edge-agents/{bench.agent.id}/rotate-token"
        return (await post(path, {}, **{"X-OTP": codes[0]}))["token"]


async def stored_of(system: System, sensors: list[Identity]) -> Counter[Sample]:
    mine = {str(sensor.sensor_id) for sensor in sensors}
    return Counter(sample for sample in await system.stored() if sample[0] in mine)


async def all_stored(system: System, journal: Journal, sensors: list[Identity]) -> None:
    """Wait until everything acknowledged is in the table, and see that nothing is there twice."""

    async def arrived() -> bool:
        return journal.acknowledged() <= set(await stored_of(system, sensors))

    await eventually(arrived, 60)
    await system.drained()
    assert await stored_of(system, sensors) == Counter(journal.acknowledged())


async def test_two_agents_share_and_one_is_killed(system: System, deployed: Deployed, tmp_path: Path) -> None:
    seed, rng = seeded()
    bench = await system.bench("shared", SENSORS, LINEAR)
    for instance in (1, 2):
        await system.launch(f"edge-{instance}", ["cli", "edge"], **environment(bench, tmp_path, instance))
    journal = Journal()
    streams = [Stream(sensor, journal, seed + i) for i, sensor in enumerate(bench.sensors)]

    async def acknowledged(packets: int) -> None:
        wanted = sum(packet.acknowledged for packet in journal.packets.values()) + packets

        async def reached() -> bool:
            return sum(packet.acknowledged for packet in journal.packets.values()) >= wanted

        await eventually(reached, 60)

    async with over_broker(streams, system.mqtt_port, every_s=0.1):
        await acknowledged(100)
        say("kill one of two agents")
        await system.kill("edge-1")
        await acknowledged(100 + rng.randint(0, 100))
        say("start it again")
        await system.again("edge-1")
        await acknowledged(100)
    await all_stored(system, journal, bench.sensors)
    received = [deployed.mosquitto.log.count(f"as {bench.agent.id}-{instance} (") for instance in (1, 2)]
    assert received == [2, 1]
    for instance in (1, 2):
        await system.kill(f"edge-{instance}")


async def test_an_agents_token_is_rotated_under_flow(system: System, tmp_path: Path) -> None:
    seed, _ = seeded()
    bench = await system.bench("rotated", SENSORS, LINEAR)
    env = environment(bench, tmp_path)
    token_file = Path(env["ETP_EDGE_TOKEN_FILE"])
    await system.launch("edge", ["cli", "edge"], **env)
    journal = Journal()
    streams = [Stream(sensor, journal, seed + i) for i, sensor in enumerate(bench.sensors)]
    async with over_broker(streams, system.mqtt_port, every_s=0.05):
        await asyncio.sleep(1.0)
        renewed = await rotated(system, bench)
        await asyncio.sleep(1.0)  # the old one is refused everywhere, sensors keep what they have
        await asyncio.to_thread(token_file.write_text, renewed)
        await asyncio.sleep(1.0)
    await all_stored(system, journal, bench.sensors)
    assert len(journal.acknowledged()) > SENSORS * 25
