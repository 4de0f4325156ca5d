"""What surrounds an edge agent in its tests: broker, devices, and a hub that keeps the ingest contract."""

import asyncio
import contextlib
import gzip
import hashlib
import inspect
import json
import os
import sqlite3
import sys
import time
from collections import defaultdict
from uuid import UUID, uuid4

import aiomqtt
from aiohttp import web

from broker.accounts import Account as BrokerAccount
from broker.embedded import EmbeddedBroker
from broker.settings import BrokerSettings
from contract import topics
from edge.agent import serve
from hub.brokers import files
from hub.brokers.models import Account
from hub.sensors.broker_hash import broker_hash
from tests.mosquitto import OPERATOR, Mosquitto
from tests.services import free_port

TOKEN, SENSOR_TOKEN = "agent-token-for-tests", "sensor-token"
HASHES = {"agent": broker_hash(TOKEN), "sensor": broker_hash(SENSOR_TOKEN)}


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
        self.batches = []  # (batch id, content) of every request that came, in order
        self.taken = {}  # batch id → its series, as often as it came
        self.after = None  # called with the request once a batch is taken, before it is answered
        self.samples = defaultdict(list)  # sensor id → (t, v) in the order of arrival
        self.series = []
        self.heartbeats = []
        self.dropped = {}  # report id → its content, as the hub books it
        self.statuses = []  # what the agent told of itself
        self.dropped_answer = None  # given instead of taking a report
        self.unreadable = {}  # the same of unreadable messages
        self.unreadable_answer = None
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
        app.router.add_post("/api/v1/edge/dropped", self._dropped)
        app.router.add_post("/api/v1/edge/unreadable", self._unreadable)
        app.router.add_post("/api/v1/edge/status", self._status)
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
        self.taken[batch["batch_id"]] = batch["series"]
        if self.after is not None:
            self.after(request)
        rejected = []
        accepted = 0
        for place, series in enumerate(batch["series"]):
            self.series.append(series)
            for index, (t, v) in enumerate(zip(series["t"], series["v"], strict=True)):
                if v is None:
                    told = series.get("rejects", {}).get(str(index), {"code": "value-missing", "detail": ""})
                    rejected.append({"series": place, "index": index, **told})
                else:
                    accepted += 1
                    self.samples[series["sensor_id"]].append((t, v))
        answer = {"batch_id": batch["batch_id"], "accepted": accepted, "duplicates": 0, "rejected": rejected}
        return web.json_response(answer, status=202 if accepted or not rejected else 422)

    async def _dropped(self, request):
        report = await request.json()
        known = self.dropped.setdefault(report["report_id"], report["dropped"])
        assert known == report["dropped"]
        if self.dropped_answer is not None:
            return self.dropped_answer()
        return web.Response(status=204)

    async def _unreadable(self, request):
        report = await request.json()
        known = self.unreadable.setdefault(report["report_id"], report["unreadable"])
        assert known == report["unreadable"]
        if self.unreadable_answer is not None:
            return self.unreadable_answer()
        return web.Response(status=204)

    async def _status(self, request):
        self.statuses.append(await request.json())
        return web.Response(status=204)

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


class Deployed:
    """The deployed broker with its accounts: agents under TOKEN, sensors under SENSOR_TOKEN."""

    def __init__(self, folder):
        self.mosquitto = Mosquitto(folder)
        self._project_id = uuid4()
        self._accounts = {}

    @property
    def port(self):
        return self.mosquitto.port

    async def start(self):
        await self.mosquitto.start()

    async def stop(self):
        await self.mosquitto.stop()

    async def admit(self, kind, account_id):
        """Let a sensor or an agent in."""
        password = HASHES[kind]
        self._accounts[account_id] = Account(kind, account_id, self._project_id, default=kind == "agent", hash=password)
        accounts = list(self._accounts.values())
        users = files.passwords(accounts, lambda account: account.hash, instances=2)
        await self.mosquitto.admit(accounts, users, instances=2)

    async def status(self, agent_id, instance=0):
        name, password = OPERATOR
        identifier = uuid4().hex
        async with aiomqtt.Client(
            "127.0.0.1", self.port, username=name, password=password, identifier=identifier
        ) as client:
            await client.subscribe(topics.status(agent_id, instance))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    return json.loads((await anext(client.messages)).payload)
        return {}


class Everybody:
    """Accounts that let any sensor in, and the agent with its token."""

    def __init__(self):
        self._project_id = uuid4()
        self._accounts = {}

    async def login(self, username, password):
        kind = "agent" if password == TOKEN else "sensor"
        account = BrokerAccount(kind, UUID(username), self._project_id, default=kind == "agent")
        return self._accounts.setdefault(account.id, account)

    def find(self, account_id):
        return self._accounts.get(account_id)

    async def watch(self, _):
        await asyncio.Event().wait()
        yield uuid4()


class Embedded:
    """The project's own broker, in this process."""

    def __init__(self, _):
        self._broker = EmbeddedBroker(BrokerSettings(_env_file=None, mqtt_port=0, broker_grace_s=0), Everybody())

    @property
    def port(self):
        return self._broker.port

    async def start(self):
        await self._broker.start()

    async def stop(self):
        await self._broker.shutdown()

    async def admit(self, kind, account_id):
        """Let a sensor or an agent in, as everybody is."""

    async def status(self, agent_id):
        # Nobody may subscribe to it here: it is for whoever runs the broker.
        message = self._broker._retained_messages.get(topics.status(agent_id))
        return {} if message is None else json.loads(message.data)


class Device:
    """A publisher; what the broker has acknowledged is on its log."""

    def __init__(self, client, sensor_id):
        self._client = client
        self.sensor_id = sensor_id
        self.acknowledged = []

    async def send(self, samples, **fields):
        body = {**fields, "samples": [{"t": t, "v": v} for t, v in samples]}
        await self.publish(json.dumps(body))
        self.acknowledged.extend(samples)

    async def publish(self, payload, retain=False):
        await self._client.publish(topics.telemetry(self.sensor_id), payload, qos=1, retain=retain)

    async def beat(self):
        await self._client.publish(topics.heartbeat(self.sensor_id), b"", qos=1)


class Agent:
    """An edge agent at this broker and hub, in this process or as a program of its own."""

    def __init__(self, settings, broker):
        self.settings = settings
        self._broker = broker
        self._processes = []

    @contextlib.asynccontextmanager
    async def running(self, **changes):
        """Run it in this process; it is subscribed when this is entered."""
        task = asyncio.create_task(serve(self.settings.model_copy(update=changes)))
        try:
            await self._subscribed(task)
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def start(self):
        """Start it as a program, to be killed; it is subscribed on return."""
        environment = {
            **os.environ,
            "ETP_EDGE_AGENT_ID": str(self.settings.edge_agent_id),
            "ETP_EDGE_TOKEN": TOKEN,
            "ETP_EDGE_DIR": str(self.settings.edge_dir),
            "ETP_HUB_URL": self.settings.hub_url,
            "ETP_MQTT_URL": self.settings.mqtt_url,
            "ETP_EDGE_BACKOFF_MAX_S": "0.2",
            "ETP_EDGE_STATUS_INTERVAL_S": "0.1",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from edge.main import run; from edge.settings import load; run(load())",
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
        )
        self._processes.append(process)
        await self._subscribed(None)
        return process

    async def end(self):
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def status(self):
        """Read the retained status; empty while there is none."""
        return await self._broker.status(self.settings.edge_agent_id)

    async def shows(self, name, value):
        return (await self.status()).get(name) == value

    def spooled(self, sql):
        """Look into the spool of an agent that has ended."""
        with contextlib.closing(sqlite3.connect(self.settings.folder / "spool.sqlite")) as db:
            return db.execute(sql).fetchall()

    async def _subscribed(self, task):
        # The clock tells this run's status from the last one's.
        since = time.time()

        async def live():
            if task is not None and task.done():
                await task
            status = await self.status()
            return status.get("state") in {"online", "buffering", "full"} and status["at"] > since

        await eventually(live, "a session on the broker")
