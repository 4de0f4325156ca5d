"""Keeps the samples of channels that nobody has decided about yet, within bounds for each device."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from contract.formats.channels import Channel
from hub.channels import holding_queries as queries
from hub.channels.directory import Known
from hub.channels.models import ChannelName, ChannelState
from hub.channels.problems import ProposalsUnavailable
from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.kit.problems import DatabaseAway
from hub.ledger.service import Fact, record_for_system
from hub.telemetry.problems import TokenUnknown
from hub.telemetry.registry import Device

AT_ONCE: Final = 2
MOST_WAITING: Final = 100
SAMPLE_BYTES: Final = 16
ROW_BYTES: Final = 64
# Of a source's bytes so much is left when the oldest had to go, so that they need not go each time.
KEPT_PART: Final = 0.9

Arrivals = Mapping[ChannelName, Channel]


@dataclass
class Outcome:
    """What became of channels: samples that are held, channels that somebody has decided about, and too many ones."""

    held: int = 0
    decided: dict[ChannelName, Known] = field(default_factory=dict[ChannelName, Known])
    too_many: list[ChannelName] = field(default_factory=list[ChannelName])
    changed: bool = False


class Holding:
    """Holds samples in the database; few requests at once, so that devices nobody knows slow nothing else down."""

    def __init__(self, hub: Hub) -> None:
        """Hold nothing yet."""
        self._hub = hub
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def keep(self, device: Device, arrivals: Arrivals, *, alone: bool) -> Outcome:
        """Hold the samples of unknown channels, each with its time; raises ProposalsUnavailable.

        `alone` says that the body holds no other channel: the first that a sensor sends in a format is the sensor.
        """
        if self._waiting >= MOST_WAITING:
            raise ProposalsUnavailable("Too many devices that are not known yet send at once.")
        self._waiting += 1
        try:
            async with self._turn, self._hub.db.transaction() as tx:
                return await self._keep(tx, device, arrivals, alone=alone)
        except (DatabaseAway, TimeoutError) as error:
            raise ProposalsUnavailable("The database is away.") from error
        finally:
            self._waiting -= 1

    async def _keep(self, tx: Tx, device: Device, arrivals: Arrivals, *, alone: bool) -> Outcome:
        await queries.open_source(tx, device.id)
        source = await queries.lock_source(tx, device.id)
        if source is None:
            raise TokenUnknown
        outcome = Outcome()
        rows = {row["digest"]: row for row in await queries.channels(tx, device.id, [one.digest for one in arrivals])}
        found = {name: rows[name.digest] for name in arrivals if name.digest in rows}
        new = [name for name in arrivals if name not in found]
        if alone and len(new) == 1 and await _bind_first(tx, device, new[0]):
            outcome.decided[new[0]] = Known(ChannelState.BOUND, device.id)
            await queries.book(tx, device.id, held_bytes=0, changed=True)
            outcome.changed = True
            return outcome
        await self._reopen(tx, found, outcome)
        ids = {name: row["id"] for name, row in found.items() if name not in outcome.decided}
        ids |= await self._propose(tx, device, new, outcome)
        await self._hold(tx, source, {name: arrivals[name] for name in ids}, ids, outcome)
        return outcome

    async def _reopen(self, tx: Tx, found: Mapping[ChannelName, Any], outcome: Outcome) -> None:
        """Set aside what was decided meanwhile; what is bound to a sensor that is not the device's waits again."""
        lost: list[Any] = []
        for name, row in found.items():
            match ChannelState(row["state"]):
                case ChannelState.BOUND if row["covered"]:
                    outcome.decided[name] = Known(ChannelState.BOUND, row["sensor_id"])
                case ChannelState.BOUND:
                    lost.append(row["id"])
                case ChannelState.IGNORED:
                    outcome.decided[name] = Known(ChannelState.IGNORED, None)
                case ChannelState.PROPOSED:
                    pass
        if lost:
            await queries.reopen(tx, lost)
            outcome.changed = True

    async def _propose(
        self, tx: Tx, device: Device, new: Sequence[ChannelName], outcome: Outcome
    ) -> dict[ChannelName, Any]:
        if not new:
            return {}
        room = self._hub.settings.proposals_per_device - await queries.open_channels(tx, device.id)
        taken, outcome.too_many = new[: max(0, room)], list(new[max(0, room) :])
        if outcome.too_many:
            await self._note_full(tx, device)
        if not taken:
            return {}
        made = await queries.propose(
            tx,
            device.id,
            format_=taken[0].format,
            digests=[name.digest for name in taken],
            names=[name.name for name in taken],
            units=[name.unit for name in taken],
        )
        outcome.changed = True
        ids = {row["digest"]: row["id"] for row in made}
        return {name: ids[name.digest] for name in taken}

    async def _hold(
        self, tx: Tx, source: Any, channels: Arrivals, ids: Mapping[ChannelName, Any], outcome: Outcome
    ) -> None:
        counts = [len(channel.raw) for channel in channels.values()]
        sizes = [count * SAMPLE_BYTES + ROW_BYTES for count in counts]
        limit = self._hub.settings.proposal_bytes_per_device
        if channels and sum(sizes) > limit * KEPT_PART:
            raise ProposalsUnavailable("Send it in smaller parts.")
        if source["held_bytes"] + sum(sizes) > limit:
            await queries.drop_oldest(tx, source["id"], int(limit * KEPT_PART) - sum(sizes))
        channel_ids = [ids[name] for name in channels]
        if channels:
            await queries.hold(
                tx,
                source["id"],
                channel_ids=channel_ids,
                samples=counts,
                sizes=sizes,
                t_us=[channel.t_us.astype("<i8").tobytes() for channel in channels.values()],
                raw=[channel.raw.astype("<f8").tobytes() for channel in channels.values()],
            )
            newest = [float(channel.raw[np.argmax(channel.t_us)]) for channel in channels.values()]
            await queries.note_arrivals(tx, channel_ids, counts, newest)
        if channels or outcome.changed:
            await queries.book(tx, source["id"], held_bytes=sum(sizes), changed=outcome.changed)
        outcome.held = sum(counts)

    async def _note_full(self, tx: Tx, device: Device) -> None:
        noted = await queries.note_full(tx, device.id)
        if noted is not None:
            details = {"kind": device.kind, "limit": self._hub.settings.proposals_per_device}
            fact = Fact("proposals.full", subject_id=device.id, project_id=noted["project_id"], details=details)
            await record_for_system(tx, fact, by="proposals")


async def _bind_first(tx: Tx, device: Device, name: ChannelName) -> bool:
    """Let the first channel that a sensor sends in a format be the sensor itself; further ones are other quantities."""
    if device.kind != "sensor" or await queries.has_any(tx, device.id, name.format):
        return False
    await queries.bind_to_itself(tx, device.id, digest=name.digest, format_=name.format, name=name.name, unit=name.unit)
    return True
