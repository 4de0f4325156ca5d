"""A Mosquitto of the rig, deployed as it should be, with an edge agent, its sensors and one who may send for all."""

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.rig import ROOT, Rig
from dev.process import ServerFailed, spawn
from hub.brokers import files
from hub.brokers.models import Account
from hub.sensors.broker_hash import broker_hash

PUBLISHER: Final = ("bench", "bench publisher under a green lamp")
_TIMEOUT_S: Final = 30.0


async def start(rig: Rig, agent_id: UUID, agent_token: str, sensors: list[UUID]) -> None:
    """Start it on the rig's MQTT port; on return it takes connections."""
    folder = rig.folder / "mosquitto"
    _write(rig, folder, agent_id, agent_token, sensors)
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise ServerFailed("mosquitto is not installed: apt-get install mosquitto")
    rig.programs["Mosquitto"] = spawn(
        [program, "-c", "mosquitto.conf"], death_signal=signal.SIGTERM, cwd=folder, log=rig.folder / "mosquitto.log"
    )
    async with asyncio.timeout(_TIMEOUT_S):
        while not await listens(rig.mqtt_port):
            rig.check_alive()
            await asyncio.sleep(0.05)


async def listens(port: int) -> bool:
    """Tell whether somebody takes connections on a port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _write(rig: Rig, folder: Path, agent_id: UUID, agent_token: str, sensors: list[UUID]) -> None:
    deployed = ROOT / "broker" / "mosquitto"
    for name in ("accounts", "data", "listeners"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(deployed / "mosquitto.conf", folder)
    listener = (deployed / "listeners" / "local.conf").read_text().replace("1883", str(rig.mqtt_port))
    # As root it would become somebody who may not enter the rig's folder.
    (folder / "listeners" / "rig.conf").write_text(listener + ("user root\n" if os.geteuid() == 0 else ""))
    project = UUID(int=0)
    accounts = [
        Account("agent", agent_id, project, default=True),
        *(Account("sensor", one, project) for one in sensors),
    ]
    name, password = PUBLISHER
    users = {str(agent_id): broker_hash(agent_token), name: broker_hash(password)}
    rights = files.rights(accounts, 0) | {name: ["topic write etp/v1/telemetry/#"]}
    files.replace(folder / "accounts" / "acl", files.acl_file(rights))
    files.replace(folder / "accounts" / "passwd", files.password_file(users))
