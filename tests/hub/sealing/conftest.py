"""A hub that takes and stores samples and whose seals are made step by step, by the test."""

import asyncio
import csv
import io
import struct
import time
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web

from hub.kit.context import HUB, Hub
from hub.kit.db import Tx
from hub.sealing import job
from hub.settings import Role
from tests.hub.callers import Caller
from tests.hub.conftest import Device, Make

Sample = tuple[int, float]
AXIS = {"quantity": "frequency", "unit": "Hz", "start": 10.0, "step": 0.5, "count": 3}


@pytest.fixture
def roles() -> frozenset[Role]:
    """No worker: what it would do by itself the tests do when they want it done."""
    return frozenset({"api", "writer"})


@pytest.fixture
def hub(app: web.Application) -> Hub:
    """The parts of the hub."""
    return app[HUB]


async def seal_all(hub: Hub) -> int:
    """Do every step of every seal that is planned, and return how many there were."""
    steps = 0
    while await job.step(hub):
        steps += 1
    return steps


class Recorded:
    """One sensor with a capture that reaches back some hours, and what was acknowledged of it."""

    def __init__(self, user: Caller, device: Caller, db: Tx, sensor: dict[str, Any], run: dict[str, Any]) -> None:
        self.user, self.device, self.db, self.sensor, self.run = user, device, db, sensor, run
        self.sent: set[tuple[int, bytes]] = set()
        self.id = ""
        self.begin = self.end = 0

    async def capture(self, back_s: float = 3 * 3600.0) -> str:
        """Start a capture that reaches back so far, and stop it."""
        made = (await self.user.post(f"/runs/{self.run['id']}/captures", {"pre_roll_s": back_s})).ok
        stopped = (await self.user.post(f"/captures/{made['id']}/stop")).ok
        self.id = made["id"]
        self.begin, self.end = micros(stopped["started_at"]), micros(stopped["stopped_at"])
        return self.id

    async def publish(self, samples: list[Sample]) -> None:
        """Send samples (µs, value) and wait until they are stored."""
        rows = [{"t": t / 1e6, "v": v} for t, v in samples]
        answer = await self.device.call("POST", "/telemetry", {"samples": rows})
        assert answer.status == 202, answer.body
        self.sent |= {(round(row["t"] * 1e6), struct.pack("<d", row["v"])) for row in rows}
        await self.stored()

    async def stored(self) -> None:
        """Wait until nothing of the sensor is pending."""
        async with asyncio.timeout(20):
            while (await self.user.get(f"/sensors/{self.sensor['id']}/ledger")).ok["pending"]:  # noqa: ASYNC110 - the writer tells nobody
                await asyncio.sleep(0.01)

    async def spread(self, n: int, *, back_s: float = 2.5 * 3600, value: float = 0.5) -> list[Sample]:
        """Send samples that are spread evenly over the last hours."""
        now = time.time_ns() // 1000
        step = int(back_s * 1e6) // n
        samples = [(now - int(back_s * 1e6) + i * step, value * i) for i in range(n)]
        await self.publish(samples)
        return samples

    @property
    def expected(self) -> set[tuple[int, bytes]]:
        """What the capture holds by definition."""
        return {one for one in self.sent if self.begin <= one[0] < self.end}

    async def exported(self) -> list[tuple[int, bytes]]:
        """Read the capture's CSV back."""
        text = (await self.user.get(f"/captures/{self.id}/export?format=csv")).ok.decode()
        return [
            (micros(row["timestamp"]), struct.pack("<d", float(row["raw_value"])))
            for row in csv.DictReader(io.StringIO(text))
        ]

    async def shown(self) -> tuple[Any, ...]:
        """Read everything that the API shows of the capture's samples."""
        path = f"/captures/{self.id}"
        samples = f"{path}/samples?sensor_id={self.sensor['id']}"
        return (
            (await self.user.get(samples)).ok,
            (await self.user.get(f"{samples}&max_points=40")).ok,
            (await self.user.get(f"{path}/export?format=csv")).ok,
            (await self.user.get(f"{path}/ledger")).ok,
        )

    async def check(self) -> None:
        """Compare CSV, columns, table and ledger with what was acknowledged."""
        expected = self.expected
        exported = await self.exported()
        assert len(exported) == len(set(exported)), "a sample is in the CSV twice"
        assert set(exported) == expected
        ledger = (await self.user.get(f"/captures/{self.id}/ledger")).ok
        assert (ledger["stored"], ledger["pending"]) == (len(expected), 0)
        rows = await self.db.fetch(
            "select timestamp, raw_value from telemetry_record where capture_session_id = $1::uuid", self.id
        )
        assert sorted((micros(row[0]), struct.pack("<d", row[1])) for row in rows) == sorted(expected)

    async def check_count(self, n: int) -> None:
        """Compare how many samples the columns, the ledger and the table show: what a vector is does not matter."""
        shown = await self.user.get(f"/captures/{self.id}/samples?sensor_id={self.sensor['id']}")
        ledger = (await self.user.get(f"/captures/{self.id}/ledger")).ok
        rows = "select count(*) from telemetry_record where capture_session_id = $1::text::uuid"
        assert (len(shown.ok["t"]), ledger["stored"], await self.db.fetchval(rows, self.id)) == (n, n, n)


def micros(at: str | datetime) -> int:
    """Microseconds since 1970 of a time, exactly."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


@pytest.fixture
async def recorded(owner: Caller, sensor: Make, device: Device, run: Make, db: Tx) -> Recorded:
    """A sensor in a running run."""
    made = await sensor()
    return Recorded(owner, device(made), db, made, await run(made))


class Spectra(Recorded):
    """One sensor of vectors with three elements, with a capture."""

    async def send(self, *vectors: tuple[float, list[float]]) -> None:
        """Send vectors (t in seconds, elements) and wait until they are stored."""
        rows = [{"t": t, "v": v} for t, v in vectors]
        assert (await self.device.call("POST", "/telemetry", {"samples": rows})).status == 202
        await self.stored()

    async def vectors(self, query: str = "", user: Caller | None = None) -> dict[str, Any]:
        """Read every vector of the capture, in order."""
        path = f"/captures/{self.id}/vectors?sensor_id={self.sensor['id']}&limit=100{query}"
        return (await (user or self.user).get(path)).ok

    async def verified(self) -> dict[str, Any]:
        """Verify over the API."""
        return (await self.user.post(f"/captures/{self.id}/verify")).ok

    async def seal(self, hub: Hub) -> None:
        """Seal what the capture holds, or what came late to it."""
        assert (await self.user.post(f"/captures/{self.id}/seal")).status == 202
        await seal_all(hub)


@pytest.fixture
async def spectra(owner: Caller, sensor: Make, device: Device, run: Make, db: Tx) -> Spectra:
    """A sensor of vectors in a running run (physical = 2 · raw + 1)."""
    made = await sensor(type="vibration_spectrum", axis=AXIS)
    return Spectra(owner, device(made), db, made, await run(made))
