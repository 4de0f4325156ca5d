"""CSV export: rows are formatted piece by piece and never all in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson

from hub.kit.cells import cell
from hub.kit.db import Tx
from hub.telemetry import reading, vectors
from hub.telemetry.models import STATUS_NAMES
from hub.telemetry.reading import Column
from hub.telemetry.revisions import Revision
from hub.telemetry.vectors import StoredVector

HEADER: Final = ("timestamp", "sensor_id", "sensor", "raw_value", "physical_value", "unit", "profile_version", "status")
ROWS_AT_ONCE: Final = 20_000


async def csv(
    tx: Tx,
    capture_id: UUID,
    sensors: Sequence[tuple[Any, Revision]],
    *,
    from_us: int,
    to_us: int,
    values: frozenset[str],
) -> AsyncIterator[bytes]:
    """Yield a CSV of a capture's samples with from ≤ t < to, sensor after sensor, each in order of time.

    Each sensor comes with the revision of its physical values.

    Times are RFC 3339 with microseconds, floats the shortest form that reads back to the same bits. A vector is a JSON
    array in its cell. A column that may not be read is left out.
    """
    columns = [name for name in HEADER if name not in {"raw_value", "physical_value"} or name.split("_")[0] in values]
    yield (",".join(columns) + "\r\n").encode()
    for sensor, revision in sensors:
        if sensor["axis"] is not None:
            async for rows in vectors.pages(tx, sensor["no"], from_us=from_us, to_us=to_us, revision=revision):
                yield await asyncio.to_thread(_vector_rows, rows, sensor, values)
            continue
        async for piece in reading.stream(
            tx, sensor_no=sensor["no"], from_us=from_us, to_us=to_us, capture_id=capture_id, revision=revision
        ):
            for start in range(0, len(piece.t_us), ROWS_AT_ONCE):
                part = piece.take(slice(start, start + ROWS_AT_ONCE))
                yield await asyncio.to_thread(_rows, part, sensor, values)


def _rows(column: Column, sensor: Any, values: frozenset[str]) -> bytes:
    parts = [_floats(column.raw)] if "raw" in values else []
    if "physical" in values:
        parts.append(_floats(column.physical))
    return _lines(sensor, column.t_us, parts, column.version.tolist(), column.status.tolist())


def _vector_rows(rows: Sequence[StoredVector], sensor: Any, values: frozenset[str]) -> bytes:
    parts = [[_array(row.raw) for row in rows]] if "raw" in values else []
    if "physical" in values:
        parts.append([_array(row.physical) for row in rows])
    t_us = np.array([row.t_us for row in rows], np.int64)
    return _lines(sensor, t_us, parts, [row.version for row in rows], [row.worst for row in rows])


def _lines(
    sensor: Any, t_us: reading.I64, parts: list[list[str]], versions: Sequence[int], codes: Sequence[int]
) -> bytes:
    label = f"{sensor['id']},{cell(sensor['name'])}"
    unit = cell(sensor["display_unit"])
    times = np.datetime_as_string(t_us.view("M8[us]"), unit="us").tolist()
    named = ["" if version == 0 else str(version) for version in versions]
    status = [STATUS_NAMES[code] for code in codes]
    lines = [
        f"{time}Z,{label},{','.join(numbers)},{unit},{version},{state}\r\n"
        for time, numbers, version, state in zip(times, zip(*parts, strict=True), named, status, strict=True)
    ]
    return "".join(lines).encode()


def _floats(values: reading.F64) -> list[str]:
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return ["" if number == "null" else number for number in text[1:-1].split(",")]


def _array(values: reading.F64) -> str:
    """Write a vector as one cell: a JSON array, in quotes for its commas."""
    return '"' + orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY).decode() + '"'
