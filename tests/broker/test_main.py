"""The broker as a program of its own."""

import asyncio
import json
import os
import signal
import socket
import sys

import pytest

from tests.broker.parts import Client


@pytest.fixture
async def program(hub, free_port):
    """Start `etp broker`; what is left of it is killed when the test ends."""
    started = []

    async def program(port=free_port):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from broker.main import run; from broker.settings import load; run(load())",
            env={**os.environ, "ETP_MQTT_PORT": str(port), "ETP_HUB_URL": hub.url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield program
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _ready(process):
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert line["event"] == "broker ready"
    return line["port"]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_serves_until_it_is_told_to_stop(hub, program, signal_number):
    process = await program()
    port = await _ready(process)
    agent, sensor = hub.agent(), hub.sensor()
    receiver = await Client.connect(port, agent.id, agent.token, clean=False)
    await receiver.subscribe()
    device = await Client.connect(port, sensor.id, sensor.token)
    await device.published(sensor.telemetry, 1)
    process.send_signal(signal_number)
    output, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0, errors
    assert errors == b""
    events = [json.loads(line) for line in output.splitlines()]
    assert {"event": "broker stopped", "undelivered": 1}.items() <= events[-1].items()
    assert sensor.token not in output.decode()
    assert agent.token not in output.decode()
    await asyncio.gather(receiver.vanish(), device.vanish())


async def test_a_taken_port_is_named_with_the_setting_that_changes_it(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await program(port)
        _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    message = f"port {port} on 127.0.0.1 is in use by another program: stop it, or set ETP_MQTT_PORT to a free port"
    assert errors.decode().splitlines() == [f"etp broker: {message}"]


async def test_starts_again_at_once_on_the_same_port_after_a_kill(program):
    process = await program()
    port = await _ready(process)
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    process.kill()
    await process.wait()
    again = await program(port)
    assert await _ready(again) == port
    for _, writer in connections:
        writer.close()
