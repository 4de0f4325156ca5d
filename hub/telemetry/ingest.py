"""The way in: a packet is checked, converted and made durable, then acknowledged."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from contract import reasons
from contract.samples import NO_TIME, Packet, Reject, Series
from hub.journal.service import Journal
from hub.telemetry import entries, troubles
from hub.telemetry.packing import Part, pack, repeats, times_of
from hub.telemetry.problems import StreamUnavailable
from hub.telemetry.registry import Device, Snapshot
from hub.telemetry.stream import AlreadyTimed, Appender

FUTURE_US: Final = 3_600_000_000


@dataclass(frozen=True)
class Receipt:
    """What became of a packet: durable samples, repeats within it, and each sample that was refused.

    `rejected` are the refusals as the sender is told, `rejects` as the packet had them.
    """

    batch_id: str | None
    accepted: int
    duplicates: int
    rejected: list[dict[str, Any]]
    rejects: list[Reject] = field(default_factory=list[Reject])

    @property
    def answer(self) -> dict[str, Any]:
        """Return the acknowledgement."""
        return {
            "batch_id": self.batch_id,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
        }

    @property
    def status(self) -> int:
        """Return 202, or 422 when every sample was refused."""
        return 422 if self.rejected and not self.accepted and not self.duplicates else 202


class Examined(NamedTuple):
    """The good samples of a packet; all its rejects; those whose sensor is known; whether one was given a time."""

    parts: list[Part]
    rejects: list[Reject]
    refused: list[tuple[int, Reject]]
    timeless: bool


class Intake:
    """Takes packets for all shards."""

    def __init__(self, appenders: Sequence[Appender], retention_us: int, journal: Journal) -> None:
        """Append through `appenders`, one for each shard; what is wrong with samples goes to the journal."""
        self._appenders = appenders
        self._retention_us = retention_us
        self._journal = journal

    async def take(
        self, packet: Packet, device: Device, snapshot: Snapshot, now_us: int, *, once: str | None = None
    ) -> Receipt:
        """Make the good samples of a packet durable; raises StreamUnavailable when that cannot be had.

        A body that spans shards is acknowledged after all appends; after a failure the sender repeats it, and what was
        appended already is found to be a duplicate. Under the name `once` a packet is appended one time in a day: it
        was kept here, and its times stand.
        """
        if snapshot.shards != len(self._appenders):
            raise StreamUnavailable("The number of its shards changes.")
        found = self.examine(packet, device, snapshot, now_us, timed=once is not None)
        t = times_of(found.parts)
        good, duplicates = len(t), repeats(found.parts, t)
        key = once or (f"{device.id}:{packet.batch_id}" if found.timeless and packet.batch_id is not None else None)
        appends = [
            self._append(shard, mine, refusals, now_us, key, again=once is None)
            for shard, (mine, refusals) in _by_shard(found.parts, found.refused, len(self._appenders)).items()
        ]
        # Most bodies go to one shard and need no tasks.
        repeated = [await appends[0]] if len(appends) == 1 else await asyncio.gather(*appends)
        if any(repeated):
            duplicates = good
        answer = [_answer(reject, rows=packet.rows) for reject in found.rejects]
        return Receipt(packet.batch_id, good - duplicates, duplicates, answer, found.rejects)

    def examine(
        self, packet: Packet, device: Device, snapshot: Snapshot, now_us: int, *, timed: bool = False
    ) -> Examined:
        """Tell good samples from those that are refused, and give arrival times, but where they are `timed` already."""
        rejects = list(packet.rejects)
        refused: list[tuple[int, Reject]] = []  # those whose sensor is known, to be booked
        parts = _assign(packet, device, rejects, timed=timed)
        for part in parts:
            if part.series.vectors or part.sensor.vector_size is not None:
                _check_sizes(part, rejects, refused)
        for reject in packet.rejects:
            sensor = device.find(packet.series[reject.series].sensor_id)
            if sensor is not None:
                refused.append((sensor.no, reject))
        timeless = False
        t = times_of(parts)
        if len(t) and (t.min() < now_us - self._retention_us or t.max() > now_us + FUTURE_US):
            # Rare: only then it is worth to look at each series by itself.
            timeless = _give_times(parts, packet, now_us, rejects, refused)
            for part in parts:
                self._check_times(part, snapshot, now_us, rejects, refused)
        return Examined(parts, rejects, refused, timeless)

    def _check_times(
        self, part: Part, snapshot: Snapshot, now_us: int, rejects: list[Reject], refused: list[tuple[int, Reject]]
    ) -> None:
        t = part.series.t_us
        if not len(t) or (t.max() <= now_us + FUTURE_US and t.min() >= now_us - self._retention_us):
            return
        future = t > now_us + FUTURE_US
        old = t < now_us - self._retention_us
        for no, start, end in snapshot.old_captures:
            if no == part.sensor.no:
                old &= ~((t >= start) & (t < (end if end is not None else now_us)))
        for i in np.flatnonzero(future | old):
            code, detail = (
                ("time-future", "more than an hour ahead of the hub's clock")
                if future[i]
                else ("time-too-old", "older than the retention, and in no capture")
            )
            reject = Reject(part.place, int(part.series.index[i]), code, detail, t_us=int(t[i]))
            rejects.append(reject)
            refused.append((part.sensor.no, reject))
        part.series = _kept(part.series, ~(future | old))

    async def _append(
        self,
        shard: int,
        parts: list[Part],
        refused: list[tuple[int, Reject]],
        now_us: int,
        key: str | None,
        *,
        again: bool,
    ) -> bool:
        """Append one shard's entry; tells whether it was appended under this key before, then to be counted `again`."""
        appender = self._appenders[shard]
        once = None if key is None else (f"{shard}:{key}", now_us)
        entry, held = pack(parts, refused, now_us)
        repeated = False
        try:
            await appender.append(entries.encode(entry), held, once)
        except AlreadyTimed as known:
            repeated = True
            if not again:
                return repeated
            for part in parts:
                part.series.t_us = np.where(part.series.t_us == now_us, known.t_us, part.series.t_us)
            entry, held = pack(parts, refused, now_us)
            await appender.append(entries.encode(entry), held, None)
        # Noted once it is durable: a sender that is told to repeat would have it noted twice.
        troubles.note(self._journal, entry, refused)
        return repeated


def _assign(packet: Packet, device: Device, rejects: list[Reject], *, timed: bool) -> list[Part]:
    """Pair the series with their sensors; what a device without a clock says of the time is taken away."""
    parts: list[Part] = []
    for place, series in enumerate(packet.series):
        sensor = device.find(series.sensor_id)
        if sensor is not None:
            if sensor.timeless and not timed and not (device.kind == "agent" and _from_edge(series)):
                series.t_us = np.full(len(series.t_us), NO_TIME)
            parts.append(Part(sensor, series, place))
        elif len(series.raw):
            why = (
                "name the sensor in sensor_id"
                if series.sensor_id is None
                else reasons.not_covered(series.sensor_id).detail
            )
            rejects.append(Reject(place, None, "sensor-unknown", why, count=len(series.raw)))
    return parts


def _from_edge(series: Series) -> bool:
    """Tell an edge agent, which has set the arrival itself, from other gateways: it alone says how it converted."""
    return series.profile_version is not None or series.physical is not None


def _by_shard(
    parts: list[Part], refused: list[tuple[int, Reject]], shards: int
) -> dict[int, tuple[list[Part], list[tuple[int, Reject]]]]:
    if shards == 1:
        return {0: (parts, refused)} if parts or refused else {}
    return {
        shard: (
            [part for part in parts if part.sensor.no % shards == shard],
            [(no, reject) for no, reject in refused if no % shards == shard],
        )
        for shard in {part.sensor.no % shards for part in parts} | {no % shards for no, _ in refused}
    }


def _give_times(
    parts: list[Part], packet: Packet, now_us: int, rejects: list[Reject], refused: list[tuple[int, Reject]]
) -> bool:
    """Give the arrival time to a lone sample without t; tells whether there was one. More of a sensor are refused."""
    missing = Counter[int]()
    for part in parts:
        missing[part.sensor.no] += int((part.series.t_us == NO_TIME).sum())
    given = False
    for part in parts:
        count = missing[part.sensor.no]
        if count == 0:
            continue
        absent = part.series.t_us == NO_TIME
        if count == 1:
            part.series.t_us = np.where(absent, now_us, part.series.t_us)
            given = given or bool(absent.any())
            continue
        for i in np.flatnonzero(absent):
            reject = Reject(part.place, int(part.series.index[i]), *reasons.times_missing(count))
            rejects.append(reject)
            refused.append((part.sensor.no, reject))
        part.series = _kept(part.series, ~absent)
    return given


def _check_sizes(part: Part, rejects: list[Reject], refused: list[tuple[int, Reject]]) -> None:
    """Refuse a vector where the sensor has numbers, a number where it has vectors, and one of another length."""
    series, size = part.series, part.sensor.vector_size
    good = np.ones(len(series.raw), np.bool_)
    for i in range(len(series.raw)):
        vector = series.vectors.get(i)
        if vector is None and size is None:
            continue
        if vector is None:
            code, detail = "vector-missing", f"this sensor has vectors of {size} elements"
        elif size is None:
            code, detail = "value-not-a-number", "a vector, and the sensor has no axis"
        elif len(vector) != size:
            code, detail = "vector-size", f"{len(vector)} elements; the sensor's axis has {size}"
        else:
            continue
        t_us = int(series.t_us[i])
        reject = Reject(part.place, int(series.index[i]), code, detail, t_us=None if t_us == NO_TIME else t_us)
        rejects.append(reject)
        refused.append((part.sensor.no, reject))
        good[i] = False
    if not good.all():
        part.series = _kept(series, good)


def _kept(series: Series, keep: Any) -> Series:
    places = np.flatnonzero(keep)
    renumbered = {int(old): new for new, old in enumerate(places)}
    return Series(
        sensor_id=series.sensor_id,
        t_us=series.t_us[keep],
        raw=series.raw[keep],
        index=series.index[keep],
        physical=None if series.physical is None else series.physical[keep],
        profile_version=series.profile_version,
        seq=series.seq,
        boot=series.boot,
        meta={renumbered[i]: meta for i, meta in series.meta.items() if i in renumbered},
        vectors={renumbered[i]: vector for i, vector in series.vectors.items() if i in renumbered},
    )


def _answer(reject: Reject, *, rows: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"index": reject.index, "code": reject.code, "detail": reject.detail}
    if reject.index is None:
        answer["count"] = reject.count
    return answer if rows else {"series": reject.series, **answer}
