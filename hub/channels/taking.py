"""Takes a decoded body: known channels go through the ordinary intake, of unknown ones the samples are held."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np

from contract.formats.channels import Channel, Decoded, TooManySamples
from contract.packets import NO_TIME, Packet, Reject, Series
from hub.channels.directory import Known
from hub.channels.models import ChannelName, ChannelState
from hub.channels.parts import CHANNELS
from hub.channels.problems import ProposalsUnavailable, TooManyLarge
from hub.journal.service import JOURNAL
from hub.kit.context import Context
from hub.kit.problems import DatabaseAway, Problem, TooManyRequests
from hub.telemetry import problems, troubles
from hub.telemetry.access import DEVICE, TOKEN
from hub.telemetry.decompression import read_body, too_large
from hub.telemetry.fabric import FABRIC
from hub.telemetry.limiting import count_request, count_samples
from hub.telemetry.problems import BadCompression, PacketTooLarge, StreamUnavailable, UnknownEncoding
from hub.telemetry.registry import Device, SensorEntry

# What taking a body may be answered with, in every format.
PROBLEMS: Final[Sequence[type[Problem]]] = (
    BadCompression,
    UnknownEncoding,
    PacketTooLarge,
    StreamUnavailable,
    ProposalsUnavailable,
    TooManyLarge,
    TooManyRequests,
    problems.TooManySamples,
)
# Larger bodies would keep everybody else waiting for too long.
LARGE_BYTES: Final = 256 << 10


@dataclass
class Taken:
    """What became of a body's samples; a reject's index is the place of its entry in the body."""

    accepted: int = 0
    duplicates: int = 0
    proposed: int = 0
    ignored: int = 0
    rejected: list[Reject] = field(default_factory=list[Reject])


class _Arrival(NamedTuple):
    """A channel of the body, with what was refused of it."""

    name: ChannelName
    channel: Channel
    rejects: list[Reject]


async def receive(ctx: Context, format_: str, decode: Callable[[bytes, int], Decoded]) -> Taken:
    """Read a body and take it; `decode` is given the time, too. What is refused as a whole goes to the journal.

    Raises TooManyRequests, TooManySamples, PacketTooLarge, and what reading, `decode` and `take` raise.
    """
    with troubles.noted(ctx.request.app[JOURNAL], ctx.request[DEVICE]):
        await count_request(ctx, ctx.request[DEVICE])
        body = await read_body(ctx)
        now_us = ctx.hub.clock.now_us()
        try:
            if len(body) < LARGE_BYTES:
                decoded = decode(body, now_us)
            else:
                decoded = await ctx.request.app[CHANNELS].apart.do(decode, body, now_us)
        except TooManySamples as error:
            raise too_large(ctx.hub, f"It holds {error}") from error
        return await take(ctx, format_, decoded, now_us)


async def take(ctx: Context, format_: str, decoded: Decoded, now_us: int) -> Taken:
    """Make a body durable. Known channels come first, so that they go on while the database is away.

    Raises TooManySamples, StreamUnavailable or ProposalsUnavailable when something cannot be kept now: the sender
    repeats the body, and what was taken already is found to be a duplicate.
    """
    refusals: dict[int, list[Reject]] = defaultdict(list)
    for reject in decoded.rejects:
        refusals[reject.series].append(reject)
    arrivals = [
        _Arrival(ChannelName(format_, *channel.key), channel, refusals.pop(place, []))
        for place, channel in enumerate(decoded.channels)
    ]
    # What is left in `refusals` names no channel.
    taken = Taken(rejected=[reject for left in refusals.values() for reject in left])
    known = await ctx.request.app[CHANNELS].directory.of(ctx.request[DEVICE].id)
    unknown = await _deliver(ctx, arrivals, known, taken, now_us)
    timed = [_timed(arrival, now_us, taken) for arrival in unknown]
    waiting = {arrival.name: arrival for arrival in timed if len(arrival.channel.raw)}
    taken.rejected += [reject for arrival in timed if arrival.name not in waiting for reject in arrival.rejects]
    if waiting:
        await _hold(ctx, waiting, taken, now_us, alone=sum(len(one.channel.raw) > 0 for one in arrivals) == 1)
    taken.rejected.sort(key=lambda reject: (reject.index or 0, reject.code))
    return taken


async def _hold(
    ctx: Context, waiting: Mapping[ChannelName, _Arrival], taken: Taken, now_us: int, *, alone: bool
) -> None:
    parts = ctx.request.app[CHANNELS]
    device = ctx.request[DEVICE]
    outcome = await parts.holding.keep(device, {name: one.channel for name, one in waiting.items()}, alone=alone)
    taken.proposed += outcome.held
    for name in outcome.too_many:
        detail = "this device sends too many channels that nobody knows; let an editor accept or ignore some first"
        taken.rejected += [Reject(-1, int(i), "proposals-full", detail) for i in waiting[name].channel.index]
    if outcome.changed:
        parts.directory.outdate()
    # What was refused of channels that were decided about meanwhile is told by whoever gets their samples.
    undecided = waiting.keys() - outcome.decided.keys()
    taken.rejected += [reject for name in undecided for reject in waiting[name].rejects]
    decided = [waiting[name] for name in outcome.decided]
    if decided and await _deliver(ctx, decided, outcome.decided, taken, now_us):
        raise ProposalsUnavailable("Its channels are being changed.")


async def _deliver(
    ctx: Context,
    arrivals: Sequence[_Arrival],
    known: Mapping[ChannelName, Known],
    taken: Taken,
    now_us: int,
) -> list[_Arrival]:
    """Give known channels to the intake and return the others."""
    fabric = ctx.request.app[FABRIC]
    found = {one.name: known[one.name] for one in arrivals if one.name in known}
    device = ctx.request[DEVICE]
    sensors = await _sensors(ctx, device, {state.sensor_id for state in found.values() if state.sensor_id is not None})
    mine: list[tuple[SensorEntry, _Arrival]] = []
    unknown: list[_Arrival] = []
    for one in arrivals:
        state = found.get(one.name)
        sensor = None if state is None or state.sensor_id is None else sensors.get(state.sensor_id)
        if state is not None and state.state is ChannelState.IGNORED:
            taken.ignored += len(one.channel.raw) + len(one.rejects)
        elif sensor is not None:
            mine.append((sensor, one))
        else:
            unknown.append(one)
    covering = replace(device, sensors={sensor.id: sensor for sensor, _ in mine})
    if device.kind == "agent":  # a sensor's requests are counted instead
        for whole in _packets(mine, sys.maxsize):
            count_samples(fabric.allowances, whole, covering)
    for packet in _packets(mine, ctx.hub.settings.max_samples_per_packet):
        receipt = await fabric.intake.take(packet, covering, fabric.registry.snapshot, now_us)
        taken.accepted += receipt.accepted
        taken.duplicates += receipt.duplicates
        taken.rejected += [
            Reject(reject["series"], reject["index"], reject["code"], reject["detail"]) for reject in receipt.rejected
        ]
    return unknown


async def _sensors(ctx: Context, device: Device, wanted: set[UUID]) -> Mapping[UUID, SensorEntry]:
    """Return the sensors that the device may send for: an edge agent for its own, a sensor for what it was bound to."""
    if not wanted:
        return {}
    registry = ctx.request.app[FABRIC].registry
    if device.kind == "agent":
        return (await registry.covering(ctx.request[TOKEN], device, wanted)).sensors
    if not wanted <= registry.snapshot.by_id.keys():
        try:
            await registry.refresh()
        except DatabaseAway as error:
            raise ProposalsUnavailable from error
    return registry.snapshot.by_id


def _timed(arrival: _Arrival, now_us: int, taken: Taken) -> _Arrival:
    """Give a lone sample without a time that of its arrival, as the intake does; more of them are refused."""
    channel = arrival.channel
    absent = channel.t_us == NO_TIME
    count = int(absent.sum())
    if count <= 1:
        return arrival._replace(channel=replace(channel, t_us=np.where(absent, now_us, channel.t_us)))
    detail = f"{count} samples of this channel lack a time; at most one a body may"
    taken.rejected += [Reject(-1, int(i), "time-missing", detail) for i in channel.index[absent]]
    kept = ~absent
    rest = replace(channel, t_us=channel.t_us[kept], raw=channel.raw[kept], index=channel.index[kept])
    return arrival._replace(channel=rest)


def _packets(mine: Iterable[tuple[SensorEntry, _Arrival]], limit: int) -> Iterator[Packet]:
    """Put channels into packets of at most `limit` samples."""
    packet, room = _packet(), limit
    for sensor, (_, channel, rejects) in mine:
        packet.rejects += [replace(reject, series=len(packet.series)) for reject in rejects]
        packet.count += len(rejects)
        start, count = 0, len(channel.raw)
        while True:
            end = min(count, start + room)
            packet.series.append(
                Series(sensor.id, channel.t_us[start:end], channel.raw[start:end], channel.index[start:end])
            )
            packet.count += end - start
            room -= end - start
            if end == count:
                break
            yield packet
            packet, room, start = _packet(), limit, end
    if packet.series:
        yield packet


def _packet() -> Packet:
    return Packet(None, False, [], [], 0)
