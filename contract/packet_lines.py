"""Telemetry packets as lines of JSON: each line a packet, all of them taken together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
import numpy as np

from contract.packet_shapes import Rows, Sample, usual
from contract.packets import decode
from contract.samples import I64, NO_TIME, Packet, PacketBroken, PacketInvalid, Reject, Series

_ROWS: Final = msgspec.json.Decoder(Rows)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where each sample of a series stood: its line, counted from 1, and its index there; `place` None in row form."""

    line: I64
    index: I64
    place: int | None

    def of(self, reject: Reject) -> list["Place"]:
        """Return the places that a reject speaks of: one sample's, or the series' in each of its lines."""
        if reject.index is not None:
            return [Place(int(self.line[reject.index]), self.place, int(self.index[reject.index]), 1)]
        lines, counts = np.unique(self.line, return_counts=True)
        # Of one line some samples may have been refused each by itself.
        if len(lines) == 1:
            counts = np.array([reject.count])
        return [
            Place(line, self.place, None, count) for line, count in zip(lines.tolist(), counts.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a body of lines, and how many samples are there."""

    line: int
    series: int | None
    index: int | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is no packet."""

    line: int
    code: str
    detail: str


@dataclass
class Lines:
    """The packets of a body of lines.

    `packet` holds the series of all lines whose samples have times, `origins` tells where each of them stood. `alone`
    are the packets with samples that lack t, which must be taken one by one: such a packet may hold one of a sensor.
    """

    packet: Packet
    origins: list[Origin]
    alone: list[tuple[int, Packet]]
    faults: list[Fault]

    @property
    def count(self) -> int:
        """Return how many samples all packets hold."""
        return self.packet.count + sum(packet.count for _, packet in self.alone)


def decode_lines(body: bytes) -> Lines:
    """Decode lines of JSON; blank ones count as lines and hold nothing. What is wrong with a line costs no other."""
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line and not line.isspace()]
    return _plain_rows(lines) or _joined(lines)


def _plain_rows(lines: Sequence[tuple[int, bytes]]) -> Lines | None:
    """Decode lines of rows without packet numbers, a series for each sensor however many lines there are."""
    samples: dict[UUID | None, list[Sample]] = {}
    places: dict[UUID | None, list[tuple[int, int]]] = {}
    for number, line in lines:
        try:
            rows = _ROWS.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if rows.seq is not None or rows.batch_id is not None:
            return None
        samples.setdefault(rows.sensor_id, []).extend(rows.samples)
        places.setdefault(rows.sensor_id, []).extend((number, index) for index in range(len(rows.samples)))
    joined: list[Series] = []
    for sensor_id, mine in samples.items():
        packet = usual(Rows(mine, sensor_id))
        if packet is None or (packet.series[0].t_us == NO_TIME).any():
            return None
        joined += packet.series
    origins: list[Origin] = []
    for mine in places.values():
        line_and_index = np.array(mine, np.int64).reshape(-1, 2)
        origins.append(Origin(line_and_index[:, 0], line_and_index[:, 1], None))
    return Lines(Packet(None, False, joined, [], sum(map(len, samples.values()))), origins, [], [])


def _joined(lines: Sequence[tuple[int, bytes]]) -> Lines:
    found = Lines(Packet(None, False, [], [], 0), [], [], [])
    for number, line in lines:
        try:
            packet = decode(line)
        except PacketBroken as error:
            found.faults.append(Fault(number, "line-broken", str(error)))
        except PacketInvalid as error:
            where = ".".join(map(str, error.loc))
            found.faults.append(Fault(number, "line-invalid", f"{where}: {error}" if where else str(error)))
        else:
            if any((series.t_us == NO_TIME).any() for series in packet.series):
                found.alone.append((number, packet))
            else:
                _join(found, number, packet)
    return found


def _join(found: Lines, number: int, packet: Packet) -> None:
    whole = found.packet
    first = len(whole.series)
    for place, series in enumerate(packet.series):
        rejects = [reject for reject in packet.rejects if reject.series == place]
        longest = 1 + max([*series.index.tolist(), *(reject.index or 0 for reject in rejects)], default=-1)
        found.origins.append(Origin(np.full(longest, number), np.arange(longest), None if packet.rows else place))
        whole.rejects += [_moved(reject, first + place) for reject in rejects]
    whole.series += packet.series
    whole.count += packet.count


def _moved(reject: Reject, series: int) -> Reject:
    """Return the reject as one of another series."""
    return Reject(series, reject.index, reject.code, reject.detail, reject.t_us, reject.count)
