"""Fills a database with `demo_project` and prints its logins and sensor tokens."""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dev.demo import EXPERIMENTS, PROJECT, USERS
from dev.seed import SeedRefused, seed
from firmware_sim.hub_api import HubRefused, HubUnreachable
from firmware_sim.settings import DEMO_PASSWORD, Settings


def main() -> int:
    """Seed and print; return the exit code."""
    settings = Settings()
    try:
        seeded = asyncio.run(seed(settings, os.environ.get("ETP_DATABASE_URL")))
    except (SeedRefused, HubRefused, HubUnreachable) as failed:
        print(f"✗ {failed}", file=sys.stderr)
        return 1
    width = max(len(sensor.name) for sensor in seeded.sensors)
    lines = [
        f"{PROJECT} at {settings.hub}: {len(seeded.sensors)} sensors, {len(EXPERIMENTS)} experiments with captures",
        "",
        "Logins:",
        *(f"  {role}@example.com  {DEMO_PASSWORD}" for role in USERS),
        "",
        "Sensors (id, token):",
        *(f"  {sensor.name:{width}}  {sensor.sensor_id}  {sensor.token}" for sensor in seeded.sensors),
        "",
        f"Edge agent {seeded.agent_id}: its token is in {seeded.agent_token_file}",
    ]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
