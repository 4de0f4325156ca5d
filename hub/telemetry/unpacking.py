"""Chunks back to samples, with everything that belongs to them, for whoever writes them into other chunks."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np

from hub.telemetry.chunks import Samples, names_of, offsets_of, read_array


def samples_of(rows: Sequence[asyncpg.Record]) -> Samples:
    """Put the samples of chunks together, sorted by (sensor, t, identity).

    Rows have sensor_no, first_t, n, t_offset, raw, physical (arrays as sent), status, profile_version, received_at,
    meta, identity and sealed.
    """
    if not rows:
        return Samples.none()
    counts = np.array([row["n"] for row in rows], np.int64)
    starts = (np.cumsum(counts) - counts).tolist()
    status = np.zeros(int(counts.sum()), np.uint8)
    meta: dict[int, Any] = {}
    for row, start in zip(rows, starts, strict=True):
        if row["status"] is not None:
            status[start : start + row["n"]] = np.frombuffer(row["status"], np.uint8)
        if row["meta"] is not None:
            meta |= {start + int(place): value for place, value in row["meta"].items()}

    def repeated(name: str, kind: Any) -> Any:
        return np.repeat(np.array([row[name] for row in rows], kind), counts)

    raw = np.concatenate([read_array(row["raw"], ">f8") for row in rows])
    names = names_of(rows, raw)
    samples = Samples(
        sensor_no=repeated("sensor_no", np.int32),
        t_us=repeated("first_t", np.int64) + np.concatenate([offsets_of(row) for row in rows]),
        raw=raw,
        physical=np.concatenate([read_array(row["physical"], ">f8") for row in rows]),
        status=status,
        version=repeated("profile_version", np.int32),
        received_at_us=repeated("received_at", np.int64),
        identity=raw.view(np.int64) if names is None else names,
        meta=meta,
        vectors={},
    )
    return samples.take(np.lexsort((samples.identity, samples.t_us, samples.sensor_no)))
