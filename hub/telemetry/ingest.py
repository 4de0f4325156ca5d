"""The way in: a packet is checked, converted and made durable, then acknowledged."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from contract.conversion.convert import convert_at
from contract.packets import NO_TIME, Packet, Reject, Series
from hub.telemetry import entries
from hub.telemetry.entries import Entry, PacketNumber
from hub.telemetry.problems import StreamUnavailable
from hub.telemetry.registry import Device, SensorEntry, Snapshot
from hub.telemetry.stream import AlreadyTimed, Appender, Held

FUTURE_US: Final = 3_600_000_000


@dataclass(frozen=True)
class Receipt:
    """What became of a packet: durable samples, repeats within it, and each sample that was refused."""

    batch_id: str | None
    accepted: int
    duplicates: int
    rejected: list[dict[str, Any]]

    @property
    def status(self) -> int:
        """Return 202, or 422 when every sample was refused."""
        return 422 if self.rejected and not self.accepted and not self.duplicates else 202


@dataclass
class _Part:
    """The samples of one sensor that go into one shard's entry."""

    sensor: SensorEntry
    series: Series
    place: int


class Intake:
    """Takes packets for all shards."""

    def __init__(self, appenders: Sequence[Appender], retention_us: int) -> None:
        """Append through `appenders`, one for each shard."""
        self._appenders = appenders
        self._retention_us = retention_us

    async def take(self, packet: Packet, device: Device, snapshot: Snapshot, now_us: int) -> Receipt:
        """Make the good samples of a packet durable; raises StreamUnavailable when that cannot be had.

        A body that spans shards is acknowledged after all appends; after a failure the sender repeats it, and what was
        appended already is found to be a duplicate.
        """
        if snapshot.shards != len(self._appenders):
            raise StreamUnavailable(f"The database knows {snapshot.shards} shards; set ETP_STREAM_SHARDS to that.")
        rejects = list(packet.rejects)
        refused: list[tuple[int, Reject]] = []  # those whose sensor is known, to be booked
        parts = self._assign(packet, device, rejects)
        for reject in packet.rejects:
            sensor = _sensor_of(packet.series[reject.series], device)
            if sensor is not None:
                refused.append((sensor.no, reject))
        timeless = _give_times(parts, packet, now_us, rejects, refused)
        for part in parts:
            self._check_times(part, snapshot, now_us, rejects, refused)
        duplicates = sum(_repeats(part) for part in parts)
        good = sum(len(part.series.raw) for part in parts)
        shards = len(self._appenders)
        by_shard = {
            shard: (
                [part for part in parts if part.sensor.no % shards == shard],
                [(no, reject) for no, reject in refused if no % shards == shard],
            )
            for shard in {part.sensor.no % shards for part in parts} | {no % shards for no, _ in refused}
        }
        once = (f"{device.id}:{packet.batch_id}", now_us) if timeless and packet.batch_id is not None else None
        repeated = await asyncio.gather(
            *(self._append(shard, mine, refusals, now_us, once) for shard, (mine, refusals) in by_shard.items())
        )
        if any(repeated):
            duplicates = good
        answer = [_answer(reject, rows=packet.rows) for reject in rejects]
        return Receipt(packet.batch_id, good - duplicates, duplicates, answer)

    def _assign(self, packet: Packet, device: Device, rejects: list[Reject]) -> list[_Part]:
        parts: list[_Part] = []
        for place, series in enumerate(packet.series):
            sensor = _sensor_of(series, device)
            if sensor is not None:
                parts.append(_Part(sensor, series, place))
            elif len(series.raw):
                why = (
                    "name the sensor in sensor_id"
                    if series.sensor_id is None
                    else f"this token covers no sensor {series.sensor_id}"
                )
                rejects.append(Reject(place, None, "sensor-unknown", why, count=len(series.raw)))
        return parts

    def _check_times(
        self, part: _Part, snapshot: Snapshot, now_us: int, rejects: list[Reject], refused: list[tuple[int, Reject]]
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
        parts: list[_Part],
        refused: list[tuple[int, Reject]],
        now_us: int,
        once: tuple[str, int] | None,
    ) -> bool:
        """Append one shard's entry; tells whether the batch was appended before."""
        appender = self._appenders[shard]
        if once is not None:
            once = (f"{shard}:{once[0]}", once[1])
        try:
            await appender.append(entries.encode(_entry(parts, refused, now_us)), _held(parts), once)
        except AlreadyTimed as known:
            for part in parts:
                part.series.t_us = np.where(part.series.t_us == now_us, known.t_us, part.series.t_us)
            await appender.append(entries.encode(_entry(parts, refused, now_us)), _held(parts))
            return True
        return False


def _sensor_of(series: Series, device: Device) -> SensorEntry | None:
    if series.sensor_id is not None:
        return device.sensors.get(series.sensor_id)
    return next(iter(device.sensors.values())) if device.kind == "sensor" and device.sensors else None


def _give_times(
    parts: list[_Part], packet: Packet, now_us: int, rejects: list[Reject], refused: list[tuple[int, Reject]]
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
            detail = f"{count} samples of this sensor lack t; at most one a batch may"
            reject = Reject(part.place, int(part.series.index[i]), "time-missing", detail)
            rejects.append(reject)
            refused.append((part.sensor.no, reject))
        part.series = _kept(part.series, ~absent)
    return given


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
    )


def _held(parts: Sequence[_Part]) -> dict[int, Held]:
    held: dict[int, Held] = {}
    for part in parts:
        t, no = part.series.t_us, part.sensor.no
        if len(t):
            before = held.get(no, Held(0, int(t[0]), int(t[0])))
            held[no] = Held(
                before.samples + len(t), min(before.first_t, int(t.min())), max(before.last_t, int(t.max()))
            )
    return held


def _repeats(part: _Part) -> int:
    t, bits = part.series.t_us, part.series.raw.view(np.int64)
    if len(t) < 2 or (np.diff(t) > 0).all():
        return 0
    order = np.lexsort((bits, t))
    return int(((np.diff(t[order]) == 0) & (np.diff(bits[order]) == 0)).sum())


def _entry(parts: list[_Part], refused: list[tuple[int, Reject]], now_us: int) -> Entry:
    """Convert the samples, sensor by sensor, and pack them; the hub's own conversion is what is stored."""
    groups: list[tuple[int, int, int]] = []
    physical: list[entries.F64] = []
    status: list[entries.U8] = []
    differing = Counter[int]()
    meta: dict[int, Any] = {}
    at = 0
    for part in parts:
        series, no = part.series, part.sensor.no
        converted = convert_at(part.sensor.profiles, series.t_us, series.raw)
        physical.append(converted.physical)
        status.append(converted.status)
        for version, run in groupby(converted.version.tolist()) if len(converted.version) else ():
            groups.append((no, sum(1 for _ in run), version))
        if series.physical is not None:
            differs = series.physical.view(np.int64) != converted.physical.view(np.int64)
            differs &= ~(np.isnan(series.physical) & np.isnan(converted.physical))
            differing[no] += int(differs.sum())
        meta |= {at + i: value for i, value in series.meta.items()}
        at += len(series.raw)
    codes = sorted({reject.code for _, reject in refused})
    return Entry(
        received_at_us=now_us,
        series=np.array(groups, dtype=entries.SERIES),
        t_us=_joined([part.series.t_us for part in parts], np.int64),
        raw=_joined([part.series.raw for part in parts], np.float64),
        physical=_joined(physical, np.float64),
        status=_joined(status, np.uint8),
        rejects=np.array(
            [
                (no, codes.index(reject.code), NO_TIME if reject.t_us is None else reject.t_us)
                for no, reject in refused
                for _ in range(reject.count)
            ],
            dtype=entries.REJECTS,
        ),
        codes=codes,
        packets=[
            PacketNumber(part.sensor.no, part.series.boot, part.series.seq)
            for part in parts
            if part.series.seq is not None
        ],
        differing={no: count for no, count in differing.items() if count},
        meta=meta,
    )


def _joined(columns: Sequence[Any], kind: type) -> Any:
    return np.concatenate(columns) if columns else np.empty(0, kind)


def _answer(reject: Reject, *, rows: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"index": reject.index, "code": reject.code, "detail": reject.detail}
    return answer if rows else {"series": reject.series, **answer}
