"""A consumer that is killed again and again under bursts of messages misses none that was acknowledged."""

import asyncio
import sys

import pytest

from tests.broker.parts import eventually

BURST = 400
BURSTS = 10
KILL_AT = (500, 1500, 2500)  # messages written


@pytest.mark.slow
async def test_nothing_acknowledged_is_missed(hub, broker, enter, tmp_path):
    agent = hub.agent()
    sensors = [hub.sensor(agent) for _ in range(4)]
    path = tmp_path / "received"
    path.touch()

    async def consumer():
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.broker.consumer", str(broker.port), str(agent.id), agent.token, str(path)
        )

    def written():
        return path.read_bytes().count(b"\n")

    process = await consumer()
    await eventually(lambda: broker.subscriptions, "the subscription")
    devices = [await enter(broker, sensor) for sensor in sensors]

    async def publish():
        for burst in range(BURSTS):
            for number in range(burst * BURST, (burst + 1) * BURST):
                place = number % len(sensors)
                devices[place].publish(sensors[place].telemetry, f"{number:07d}".encode())
            until = (burst + 1) * BURST
            await eventually(lambda: sum(len(device.acknowledged) for device in devices) == until, "a burst", 30)  # noqa: B023 - used at once

    publishing = asyncio.create_task(publish())
    for count in KILL_AT:
        await eventually(lambda: written() >= count, f"{count} messages written", 30)  # noqa: B023 - used at once
        process.kill()
        await process.wait()
        process = await consumer()
    await publishing
    everything = {f"{number:07d}" for number in range(BURST * BURSTS)}
    await eventually(lambda: everything <= set(path.read_text().split()), "every acknowledged message", 30)
    session = broker.sessions[str(agent.id)][0]
    await eventually(lambda: not session.inflight_out, "the last acknowledgements")
    process.kill()
    await process.wait()
