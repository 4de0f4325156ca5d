"""Switches conversion profiles while samples keep coming: a new version is drafted and published."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rich.console import Console

from firmware_sim import hub_api
from firmware_sim.device import Identity
from firmware_sim.hub_shapes import Profile
from firmware_sim.stage import Target

_POLL_S = 0.25
_TAKES_OVER_S = 30.0


class SensorMissing(Exception):
    """There is no sensor of this name."""


class NotActive(Exception):
    """A published version does not take over."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A profile that is published so many seconds after the scenario began."""

    after_s: float
    profile: Mapping[str, Any]


def parse_switch(*, after_s: float, profile: Mapping[str, Any]) -> Switch:
    """Read a scenario's switch; raises TypeError and ValueError."""
    if after_s < 0 or "kind" not in profile:
        raise ValueError("a switch has after_s, not below 0, and a profile with its kind")
    return Switch(float(after_s), profile)


async def switch(target: Target, project: str, name: str, profile: Mapping[str, Any], console: Console) -> Profile:
    """Publish a profile for a sensor by its name and wait until it applies.

    Raises SensorMissing, NotActive, HubRefused with what is wrong with the profile, and HubUnreachable.
    """
    async with hub_api.connected(target.hub_url, target.email, target.password) as hub:
        sensors = await hub.sensors((await hub.project(project)).id)
        found = next((sensor.id for sensor in sensors if sensor.name == name), None)
        if found is None:
            there = ", ".join(sorted(sensor.name for sensor in sensors)) or "none"
            raise SensorMissing(f"no sensor {name!r} in {project}; there are: {there}")
        made = await _publish(hub, found, name, profile, console)
        try:
            async with asyncio.timeout(_TAKES_OVER_S):
                while (made := await hub.profile(made.id)).status == "scheduled":  # noqa: ASYNC110 - the hub's clock decides
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise NotActive(f"version {made.version} of {name} is still {made.status}") from None
        console.print(f"{name}: version {made.version} is {made.status}.", highlight=False)
        return made


@asynccontextmanager
async def switching(
    target: Target, plans: Sequence[tuple[Identity, Sequence[Switch]]], speed: float, console: Console
) -> AsyncGenerator[None]:
    """Play the switches of a scenario beside the body; one that the hub refuses is told, and the others go on."""
    due = sorted(
        ((one.after_s / speed, who, one.profile) for who, switches in plans for one in switches), key=lambda one: one[0]
    )
    if not due:
        yield
        return
    playing = asyncio.create_task(_play(target, due, console))
    try:
        yield
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def _play(target: Target, due: Sequence[tuple[float, Identity, Mapping[str, Any]]], console: Console) -> None:
    began = asyncio.get_running_loop().time()
    for after_s, who, profile in due:
        await asyncio.sleep(began + after_s - asyncio.get_running_loop().time())
        try:
            async with hub_api.connected(target.hub_url, target.email, target.password) as hub:
                await _publish(hub, who.sensor_id, who.name, profile, console)
        except (hub_api.HubRefused, hub_api.HubUnreachable) as failed:
            console.print(f"{who.name} keeps its profile: {failed}", style="yellow", highlight=False, markup=False)


async def _publish(
    hub: hub_api.Hub, sensor_id: UUID, name: str, profile: Mapping[str, Any], console: Console
) -> Profile:
    made = await hub.publish_profile(sensor_id, profile)
    at = "at once" if made.valid_from is None else f"from {made.valid_from.astimezone():%H:%M:%S} on"
    console.print(f"{name}: version {made.version} ({made.kind}) applies {at}.", highlight=False, markup=False)
    return made
