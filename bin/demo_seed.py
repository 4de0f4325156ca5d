"""Fills a database with `demo_project` and prints its logins, and tokens that are good for a day."""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dev import day_tokens
from dev.demo import EXPERIMENTS, PROJECT, USERS
from dev.seed import Seeded, SeedRefused, seed
from firmware_sim.hub_api import HubRefused, HubUnreachable, TokenNotKept
from firmware_sim.settings import DEMO_PASSWORD, Settings
from firmware_sim.token_file import TokenFileUnreadable


def main() -> int:
    """Seed and print; return the exit code."""
    settings = Settings()
    try:
        seeded, tokens = asyncio.run(_filled(settings))
    except (SeedRefused, HubRefused, HubUnreachable, TokenNotKept, TokenFileUnreadable) as failed:
        print(f"✗ {failed}", file=sys.stderr)
        return 1
    width = max(len(sensor.name) for sensor in tokens.sensors)
    lines = [
        f"{PROJECT} at {settings.hub}: {len(seeded.sensors)} sensors, {len(EXPERIMENTS)} experiments with captures",
        "",
        "Logins:",
        *(f"  {role}@example.com  {DEMO_PASSWORD}" for role in USERS),
        "",
        f"Sensors for your own programs (id, token), good until {tokens.until:%Y-%m-%d %H:%M} UTC:",
        *(f"  {sensor.name:{width}}  {sensor.sensor_id}  {sensor.token}" for sensor in tokens.sensors),
        "Run this again to let them be good for another day.",
        "",
        f"Edge agent {seeded.agent_id}: its token is in {seeded.agent_token_file}",
    ]
    print("\n".join(lines))
    return 0


async def _filled(settings: Settings) -> tuple[Seeded, day_tokens.DayTokens]:
    seeded = await seed(settings, os.environ.get("ETP_DATABASE_URL"))
    return seeded, await day_tokens.issue(settings, seeded.project_id)


if __name__ == "__main__":
    sys.exit(main())
