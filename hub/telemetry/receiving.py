"""Taking the packets of one device, whichever way they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.packet_lines import Fault, Lines, Origin
from contract.packets import decode, decode_packed
from contract.samples import Packet, PacketBroken, PacketInvalid, Reject, Series
from hub.kit.context import Hub
from hub.kit.problems import FieldError, InvalidPayload
from hub.telemetry.fabric import Fabric
from hub.telemetry.ingest import Receipt
from hub.telemetry.limiting import count_samples
from hub.telemetry.problems import PacketTooLarge, TelemetryBroken
from hub.telemetry.registry import Device


@dataclass
class Receiver:
    """Takes packets for whoever showed `token`, who was `device` when it was looked up last."""

    hub: Hub
    fabric: Fabric
    token: str
    device: Device
    # What is limited: the samples, or (over POST with a sensor's token) the requests alone.
    by_samples: bool = True

    def read(self, body: bytes, *, packed: bool = False) -> Packet:
        """Decode JSON or msgpack; raises TelemetryBroken, InvalidPayload and PacketTooLarge."""
        try:
            packet = decode_packed(body) if packed else decode(body)
        except PacketBroken as error:
            raise TelemetryBroken(why=str(error)) from error
        except PacketInvalid as error:
            raise InvalidPayload(errors=[FieldError(loc=["body", *error.loc], msg=str(error))]) from error
        self.check_size(packet.count, series=packet.series)
        return packet

    def check_size(self, count: int, what: str = "samples", *, series: Sequence[Series] = ()) -> None:
        """Raise PacketTooLarge when a body holds too many samples."""
        if count > self.hub.settings.max_samples_per_packet:
            named = {sensor.no for one in series if (sensor := self.device.find(one.sensor_id)) is not None}
            raise too_large(self.hub, f"It holds {count} {what}", sorted(named))

    async def take(self, packet: Packet) -> Receipt:
        """Make the good samples of a packet durable; raises StreamUnavailable when that cannot be had.

        Raises TooManySamples, too, but where requests are counted instead.
        """
        await self.cover(packet)
        if self.by_samples:
            self.count(packet)
        return await self.store(packet)

    async def cover(self, packet: Packet) -> None:
        """Look anew which sensors the token is good for, where it seems not to be good for one that is named."""
        named = [series.sensor_id for series in packet.series]
        self.device = await self.fabric.registry.covering(self.token, self.device, named)

    def count(self, packet: Packet) -> None:
        """Count the samples; raises TooManySamples."""
        count_samples(self.fabric.allowances, packet, self.device)

    async def store(self, packet: Packet) -> Receipt:
        """Make a packet durable that was covered and counted."""
        now_us = self.hub.clock.now_us()
        return await self.fabric.intake.take(packet, self.device, self.fabric.registry.snapshot, now_us)

    async def take_lines(self, lines: Lines) -> Receipt:
        """Take a body of lines; each reject of the one receipt names its line."""
        joined = await self.take(lines.packet) if lines.packet.series else Receipt(None, 0, 0, [])
        receipts = [(number, await self.take(packet)) for number, packet in lines.alone]
        answers = [_at_fault(fault) for fault in lines.faults]
        answers += [answer for reject in joined.rejects for answer in _at_origin(reject, lines.origins)]
        answers += [{"line": number, **answer} for number, receipt in receipts for answer in receipt.rejected]
        return Receipt(
            None,
            joined.accepted + sum(receipt.accepted for _, receipt in receipts),
            joined.duplicates + sum(receipt.duplicates for _, receipt in receipts),
            sorted(answers, key=lambda answer: answer["line"]),
        )


def too_large(hub: Hub, what: str, sensors: Sequence[int] = ()) -> PacketTooLarge:
    """Make the problem that names both limits; `sensors` are the numbers of those that the packet names."""
    settings = hub.settings
    return PacketTooLarge(
        what=what, samples=settings.max_samples_per_packet, size=settings.max_packet_bytes, sensors=sensors
    )


def _at_fault(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "index": None, "code": fault.code, "detail": fault.detail}


def _at_origin(reject: Reject, origins: Sequence[Origin]) -> list[dict[str, Any]]:
    said = {"code": reject.code, "detail": reject.detail}
    places = origins[reject.series].of(reject)
    return [
        {"line": place.line}
        | ({} if place.series is None else {"series": place.series})
        | {"index": place.index, **said}
        | ({} if place.index is not None else {"count": place.count})
        for place in places
    ]
