"""Simulated sensors that stream until told to stop, over HTTP through gateways or over MQTT each by itself."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import aiohttp
import numpy as np
import orjson
from numpy.typing import NDArray

from firmware_sim.device import Device, Identity
from firmware_sim.fleet import over_mqtt
from firmware_sim.outbox import Packet
from tests.acceptance.journal import Journal, Sent

PERIOD_US: Final = 40_000  # 25 samples/s of each sensor
MOST_A_PACKET: Final = 900  # ten sensors' packets fit one body
BOOT: Final = "b1"
_FINAL: Final = frozenset({400, 413, 422})


class Grid:
    """The samples of one sensor: every `period_us` one, at uneven µs, with values of all magnitudes."""

    def __init__(self, seed: int, period_us: int = PERIOD_US) -> None:
        self._rng = np.random.default_rng(seed)
        self._period_us = period_us
        self._next = time.time_ns() // 1000 // period_us + 1

    def due(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the samples that were taken since the last call, at most a packet's worth."""
        end = min(max(time.time_ns() // 1000 // self._period_us, self._next), self._next + MOST_A_PACKET)
        steps = np.arange(self._next, end, dtype=np.int64)
        self._next = end
        t_us = steps * self._period_us + self._rng.integers(0, 1000, steps.size)
        return t_us, self._rng.standard_normal(steps.size) * 10.0 ** self._rng.integers(-6, 7, steps.size)


class Gateway:
    """Posts the samples of some sensors with an edge token, one numbered packet a sensor, and repeats until 202.

    Each try goes to one of the `hubs` by chance.

    After a failed try it gives a body up with the probability `gives_up`, like a device that loses power. With the
    probability `repeats` it sends an acknowledged body again, like one that never saw the acknowledgement.
    """

    def __init__(
        self,
        hubs: Sequence[str],
        token: str,
        sensors: Sequence[str],
        journal: Journal,
        seed: int,
        *,
        period_us: int = PERIOD_US,
        gives_up: float = 0.0,
        repeats: float = 0.0,
    ) -> None:
        self._urls = [f"{hub}/telemetry" for hub in hubs]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._grids = {sensor: Grid(seed * 1000 + i, period_us) for i, sensor in enumerate(sensors)}
        self._journal = journal
        self._random = random.Random(seed)
        self._gives_up = gives_up
        self._repeats = repeats
        self._seq = 0
        self.refusals: dict[int | str, int] = {}

    async def run(self, session: aiohttp.ClientSession, stopping: asyncio.Event, every_s: float = 0.2) -> None:
        """Send what is due every `every_s` until `stopping`; the last body too is repeated until it is taken."""
        await asyncio.sleep(self._random.uniform(0, every_s))
        while not stopping.is_set():
            await self.send(session)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await stopping.wait()

    async def send(self, session: aiohttp.ClientSession) -> None:
        """Send one body of what is due, however often it takes."""
        columns = {sensor: grid.due() for sensor, grid in self._grids.items()}
        packets = [Sent(sensor, BOOT, self._seq, t, v) for sensor, (t, v) in columns.items() if t.size]
        if not packets:
            return
        self._seq += 1
        series = [
            {"sensor_id": p.sensor, "t": (p.t_us / 1e6).tolist(), "v": p.v.tolist(), "seq": p.seq, "boot": p.boot}
            for p in packets
        ]
        body = orjson.dumps({"batch_id": f"{id(self)}-{self._seq}", "series": series})
        for packet in packets:
            self._journal.note_sent(packet)
        while not await self._post(session, body):
            if self._random.random() < self._gives_up:
                return
            await asyncio.sleep(self._random.uniform(0.1, 0.3))
        for packet in packets:
            self._journal.note_acknowledged(packet)
        if self._random.random() < self._repeats:
            await self._post(session, body)

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        try:
            async with session.post(self._random.choice(self._urls), data=body, headers=self._headers) as answer:
                if answer.status == 202:
                    assert not (await answer.json())["rejected"]
                    return True
                assert answer.status not in _FINAL, await answer.text()
                if answer.status == 503:
                    assert int(answer.headers["Retry-After"]) > 0
                reason: int | str = answer.status
        except (aiohttp.ClientError, TimeoutError) as lost:
            reason = type(lost).__name__
        self.refusals[reason] = self.refusals.get(reason, 0) + 1
        return False


@contextlib.asynccontextmanager
async def over_http(gateways: Sequence[Gateway], timeout_s: float = 60.0) -> AsyncGenerator[None]:
    """Let gateways send while the body runs; at its end they bring their last body through."""
    stopping = asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session,
        asyncio.TaskGroup() as tasks,
    ):
        for gateway in gateways:
            tasks.create_task(gateway.run(session, stopping))
        try:
            yield
        finally:
            stopping.set()


class Stream:
    """One device that publishes numbered packets over MQTT and notes them in a journal."""

    def __init__(self, identity: Identity, journal: Journal, seed: int) -> None:
        self.device = Device(identity, boot=BOOT, when_full="wait", on_acknowledged=self._acknowledged)
        self.grid = Grid(seed)
        self._journal = journal
        self._packets: dict[int, Sent] = {}

    async def publish(self, t_us: NDArray[np.int64], v: NDArray[np.float64]) -> None:
        """Hand one packet to the device."""
        seq = len(self._packets)
        packet = Sent(str(self.device.identity.sensor_id), BOOT, seq, t_us, v)
        self._packets[seq] = self._journal.note_sent(packet)
        await self.device.send(t_us, v)

    async def run(self, stopping: asyncio.Event, every_s: float) -> None:
        """Publish what is due every `every_s` until `stopping`."""
        await asyncio.sleep(random.Random(str(self.device.identity.sensor_id)).uniform(0, every_s))
        while not stopping.is_set():
            t_us, v = self.grid.due()
            if t_us.size:
                await self.publish(t_us, v)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await stopping.wait()

    def _acknowledged(self, _: Identity, packet: Packet) -> None:
        self._journal.note_acknowledged(self._packets[packet.seq])


@contextlib.asynccontextmanager
async def over_broker(
    streams: Sequence[Stream], port: int, *, every_s: float = 1.0, streaming: bool = True
) -> AsyncGenerator[None]:
    """Connect devices and let them stream while the body runs; at its end all that they have is acknowledged."""
    fleet = over_mqtt([stream.device for stream in streams], "127.0.0.1", port)
    stopping = asyncio.Event()
    async with fleet.running():
        assert await fleet.connected(60), fleet.problems
        async with asyncio.TaskGroup() as tasks:
            for stream in streams if streaming else ():
                tasks.create_task(stream.run(stopping, every_s))
            try:
                yield
            finally:
                stopping.set()
        assert await fleet.drained(60), fleet.problems
