"""Test packets: what the hub would make of them, and what it made of those that are to be stored."""

import math
from dataclasses import replace
from typing import Final
from uuid import UUID

from contract.samples import Packet, Series
from hub.kit.context import Context
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.ledger.service import Fact, record_apart
from hub.telemetry.fabric import Fabric
from hub.telemetry.models import STATUS_NAMES
from hub.telemetry.packing import Part, pack
from hub.telemetry.receiving import Receiver
from hub.telemetry.registry import Device
from hub.telemetry.trial_models import Trial, TrialProblem, TriedSample

MOST: Final = 1000
MARK: Final = {"test": True}


async def test(ctx: Context, fabric: Fabric, sensor_id: UUID, body: bytes, *, store: bool) -> Trial:
    """Judge a packet as if the sensor had sent it; with `store` take it so, each sample marked in its meta."""
    await fabric.registry.refresh()  # a sensor or profile of a moment ago is tested as it is now
    sensor = fabric.registry.snapshot.by_id.get(sensor_id)
    if sensor is None:
        raise NotFound(noun="sensor")
    device = Device("sensor", sensor.id, {sensor.id: sensor})
    receiver = Receiver(ctx.hub, fabric, "", device)
    packet = _marked(receiver.read(body))
    if packet.count > MOST:
        raise InvalidPayload(errors=[FieldError(loc=["body"], msg=f"a test holds at most {MOST} samples")])
    details = {"samples": packet.count, "stored": store}
    await record_apart(ctx, Fact("sensor.tested", subject_id=sensor_id, details=details))
    now_us = ctx.hub.clock.now_us()
    found = fabric.intake.examine(_copy(packet), device, fabric.registry.snapshot, now_us)
    problems = [TrialProblem(index=one.index, code=one.code, detail=one.detail) for one in found.rejects]
    stored = 0
    if store:
        stored = (await fabric.intake.take(packet, device, fabric.registry.snapshot, now_us)).accepted
    return Trial(samples=_converted(found.parts, now_us), problems=problems, stored=stored)


def _converted(parts: list[Part], now_us: int) -> list[TriedSample]:
    entry, _ = pack(parts, [], now_us)
    places = [index for part in parts for index in part.series.index.tolist()]
    columns = (entry.t_us, entry.raw, entry.physical, entry.status, entry.version)
    return [
        TriedSample(
            index=index,
            t=t_us / 1e6,
            raw=raw,
            physical=None if math.isnan(physical) else physical,
            status=STATUS_NAMES[status],
            profile_version=version or None,
        )
        for index, t_us, raw, physical, status, version in zip(
            places, *(column.tolist() for column in columns), strict=True
        )
    ]


def _marked(packet: Packet) -> Packet:
    for series in packet.series:
        series.meta = {i: series.meta.get(i, {}) | MARK for i in range(len(series.raw))}
    return packet


def _copy(packet: Packet) -> Packet:
    """Copy what examining changes."""
    series: list[Series] = [replace(one) for one in packet.series]
    return replace(packet, series=series, rejects=list(packet.rejects))
