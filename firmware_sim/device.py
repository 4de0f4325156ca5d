"""One simulated sensor: samples become numbered packets, meet its faults, and are kept until acknowledged."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_sim.faults import FaultLine, FaultPlan, skewed
from firmware_sim.outbox import Outbox, Packet

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

MAX_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device is: the sensor it was registered as and that sensor's token."""

    sensor_id: UUID
    name: str
    token: str


@dataclass(slots=True)
class Counts:
    """Samples of one device: made, left on the wire at least once, acknowledged, refused for good by the receiver."""

    made: int = 0
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0


class _Series(msgspec.Struct):
    sensor_id: UUID
    t: list[float]
    v: list[Any]


class _Body(msgspec.Struct):
    seq: int
    boot: str
    series: list[_Series]


class Device:
    """A sensor with memory for `outbox_limit` packets.

    `boot` names this life of the device: its packet numbers `seq` begin at 0 with it. When nothing was sent for
    `heartbeat_s`, it gives a sign of life. `on_acknowledged` is called once for each packet that arrived.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        outbox_limit: int = 600,
        when_full: Literal["wait", "drop_oldest"] = "drop_oldest",
        faults: FaultPlan | None = None,
        seed: int = 0,
        boot: str | None = None,
        heartbeat_s: float = 10.0,
        on_acknowledged: Callable[[Identity, Packet], None] | None = None,
    ) -> None:
        self.identity = identity
        self.heartbeat_s = heartbeat_s
        self.boot = boot or secrets.token_hex(4)
        self.outbox = Outbox(outbox_limit, when_full)
        self.counts = Counts()
        self._plan = faults or FaultPlan()
        self.faults: FaultLine[Packet] = FaultLine(self._plan, seed)
        self._on_acknowledged = on_acknowledged
        self._seq = 0
        self._since_us: int | None = None

    async def send(self, t_us: I64, v: F64) -> None:
        """Pack samples (true times int64 µs, values float64, as many) and hand them to the outbox.

        Values of shape (n, m) are vectors, of which fewer fit into a packet.
        The body's floats are the shortest decimals that read back to the same bits.
        """
        at_once = max(1, MAX_SAMPLES * t_us.size // v.size) if v.size else 1
        for at in range(0, t_us.size, at_once):
            packet = self._pack(t_us[at : at + at_once], v[at : at + at_once])
            for leaving in self.faults.push(packet):
                await self.outbox.put(leaving)

    async def flush(self) -> None:
        """Hand packets that a fault still holds back to the outbox."""
        for leaving in self.faults.flush():
            await self.outbox.put(leaving)

    def note_sent(self, packet: Packet) -> None:
        """Count a packet when it first leaves."""
        if not packet.sent:
            packet.sent = True
            self.counts.sent += packet.t_us.size

    async def note_acknowledged(self, ticket: int, packet: Packet) -> None:
        """Forget a packet that arrived."""
        await self.outbox.acknowledge(ticket)
        if not packet.acknowledged:
            packet.acknowledged = True
            self.counts.acknowledged += packet.t_us.size
            if self._on_acknowledged is not None:
                self._on_acknowledged(self.identity, packet)

    async def note_refused(self, ticket: int, packet: Packet) -> None:
        """Forget a packet that the receiver will never take."""
        await self.outbox.acknowledge(ticket)
        self.counts.refused += packet.t_us.size

    def _pack(self, t_us: I64, v: F64) -> Packet:
        if self._since_us is None:
            self._since_us = int(t_us[0])
        shown = skewed(t_us, self._plan, self._since_us)
        series = _Series(self.identity.sensor_id, (shown / 1e6).tolist(), v.tolist())
        body = msgspec.json.encode(_Body(self._seq, self.boot, [series]))
        packet = Packet(self._seq, shown, v, body)
        self._seq += 1
        self.counts.made += t_us.size
        return packet
