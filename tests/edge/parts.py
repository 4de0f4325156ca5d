"""What surrounds an edge agent in its tests: broker, devices, and a hub that keeps the ingest contract."""

import asyncio
import contextlib
import gzip
import hashlib
import inspect
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections import defaultdict
from uuid import UUID, uuid4

import aiomqtt
from aiohttp import web

from contract import topics
from edge.agent import serve
from tests.services import free_port

TOKEN = "agent-token-for-tests"


async def eventually(condition, what, within_s=20.0):
    """Wait until the condition, plain or async, holds; a deadline, not a duration, decides."""
    deadline = time.monotonic() + within_s
    while True:
        held = condition()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, f"not in {within_s} s: {what}"
        await asyncio.sleep(0.01)


class PeerHub:
    """The remote hub, as far as the ingest contract goes: receipts, refusals, configuration with ETag, heartbeats."""

    def __init__(self):
        self.port = free_port()
        self.batches = []  # (batch id, content) of every request that was answered, in order
        self.samples = defaultdict(list)  # sensor id → (t, v) in the order of arrival
        self.series = []
        self.heartbeats = []
        self.config = {"agent": {"id": str(uuid4()), "name": "bench", "project_id": str(uuid4())}, "sensors": []}
        self.config_answers = []
        self.answer = None  # decides on a batch: None takes it, a response is given instead
        self._runner = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def start(self):
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post("/api/v1/telemetry", self._telemetry)
        app.router.add_get("/api/v1/edge/config", self._config)
        app.router.add_post("/api/v1/sensors/{id}/heartbeat", self._heartbeat)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self):
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _telemetry(self, request):
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"status": 401}, status=401)
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        batch = json.loads(body)
        self.batches.append((batch["batch_id"], body))
        if self.answer is not None and (given := self.answer(batch)) is not None:
            return given
        rejected = []
        accepted = 0
        for place, series in enumerate(batch["series"]):
            self.series.append(series)
            for index, (t, v) in enumerate(zip(series["t"], series["v"], strict=True)):
                if v is None:
                    rejected.append({"series": place, "index": index, "code": "value-missing", "detail": ""})
                else:
                    accepted += 1
                    self.samples[series["sensor_id"]].append((t, v))
        answer = {"batch_id": batch["batch_id"], "accepted": accepted, "duplicates": 0, "rejected": rejected}
        return web.json_response(answer, status=202 if accepted or not rejected else 422)

    async def _config(self, request):
        body = json.dumps(self.config).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        status = 304 if request.headers.get("If-None-Match") == etag else 200
        self.config_answers.append(status)
        if status == 304:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type="application/json", headers={"ETag": etag})

    async def _heartbeat(self, request):
        self.heartbeats.append(UUID(request.match_info["id"]))
        return web.Response(status=204)


class Mosquitto:
    def __init__(self, folder):
        self.port = free_port()
        self._folder = folder
        self._process = None

    async def start(self):
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {self._folder}/\nuser root\n"
        )
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "mosquitto is not installed: apt-get install mosquitto"
        self._process = await asyncio.create_subprocess_exec(
            program, "-c", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.1):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the broker does not listen")

    async def stop(self):
        self._process.terminate()
        await self._process.wait()


class Device:
    """A publisher; what the broker has acknowledged is on its log."""

    def __init__(self, client):
        self._client = client
        self.sensor_id = uuid4()
        self.acknowledged = []

    async def send(self, samples, **fields):
        body = {**fields, "samples": [{"t": t, "v": v} for t, v in samples]}
        await self.publish(json.dumps(body))
        self.acknowledged.extend(samples)

    async def publish(self, payload, retain=False):
        await self._client.publish(topics.telemetry(self.sensor_id), payload, qos=1, retain=retain)

    async def beat(self):
        await self._client.publish(topics.heartbeat(self.sensor_id), b"", qos=1)


@contextlib.asynccontextmanager
async def agent_running(settings):
    """Run an agent in this process; it is subscribed when this is entered."""
    task = asyncio.create_task(serve(settings))
    try:
        await subscribed(settings, task)
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def status(settings):
    """Read the agent's retained status; empty while there is none."""
    host, port, _ = settings.broker
    async with aiomqtt.Client(host, port) as client:
        await client.subscribe(topics.status(settings.edge_agent_id))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                return json.loads((await anext(client.messages)).payload)
    return {}


async def shows(settings, name, value):
    return (await status(settings)).get(name) == value


async def subscribed(settings, task=None):
    async def live():
        if task is not None and task.done():
            await task
        return (await status(settings)).get("state") in {"online", "buffering", "full"}

    await eventually(live, "a session on the broker")


class AgentProcess:
    """The agent as a program of its own, to be killed."""

    def __init__(self, settings):
        self._settings = settings
        self._process = None

    async def start(self):
        environment = {
            **os.environ,
            "ETP_EDGE_AGENT_ID": str(self._settings.edge_agent_id),
            "ETP_EDGE_TOKEN": TOKEN,
            "ETP_EDGE_DIR": str(self._settings.edge_dir),
            "ETP_HUB_URL": self._settings.hub_url,
            "ETP_MQTT_URL": self._settings.mqtt_url,
            "ETP_EDGE_BACKOFF_MAX_S": "0.2",
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from edge.main import run; from edge.settings import EdgeSettings; run(EdgeSettings())",
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
        )

    @property
    def pid(self):
        return self._process.pid

    async def kill(self):
        self._process.send_signal(signal.SIGKILL)
        return await self._process.wait()

    async def terminate(self):
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()
