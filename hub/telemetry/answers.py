"""Answers that show samples: whole, thinned or in windows, as JSON columns or as a binary frame."""

import asyncio
from typing import Any, NamedTuple

import numpy as np
import orjson
from aiohttp import web

from contract import frames
from contract.frames import Frame, FrameSeries
from hub.kit.context import Context
from hub.telemetry import history, reading
from hub.telemetry.history import Windows
from hub.telemetry.models import STATUS_NAMES, RangeQuery
from hub.telemetry.reading import Column


def shown(query: RangeQuery, values: frozenset[str], column: Column) -> dict[str, Any]:
    """Say which samples an answer shows, and how many; none of their values."""
    return {
        "from": query.from_ and query.from_.isoformat(),
        "to": query.to and query.to.isoformat(),
        "values": sorted(values),
        "samples": column.total,
        "decimated": query.max_points is not None and query.max_points < len(column.t_us),
    } | ({} if query.aggregate is None else {"aggregate": query.aggregate, "window_s": query.window_s})


async def of_samples(
    ctx: Context, sensor: Any, column: Column, query: RangeQuery, values: frozenset[str], *, revision: int = 1
) -> web.Response:
    """Answer with a sensor's samples in the form that the query and the Accept header ask for."""
    heartbeat_us = int(sensor["heartbeat_interval_s"] * 1e6)
    framed = frames.MEDIA_TYPE in ctx.request.headers.get("Accept", "")
    form = _Form(heartbeat_us, framed, revision)
    return await asyncio.to_thread(_made, sensor["id"], column, query, values, form)


class _Form(NamedTuple):
    heartbeat_us: int
    framed: bool
    revision: int


def _made(sensor_id: Any, column: Column, query: RangeQuery, values: frozenset[str], form: _Form) -> web.Response:
    # Before anything is left out: thinning and windows make distances of their own.
    gaps = history.gaps(column.t_us, interval_us=form.heartbeat_us)
    kept: Column | Windows = column
    if query.aggregate is not None and query.window_s is not None:
        kept = history.windows(column, query.aggregate, round(query.window_s * 1e6))
    elif query.max_points is not None and len(column.t_us) > query.max_points:
        kept = reading.decimate(column, query.max_points)
    seconds = kept.t_us / 1e6
    decimated = isinstance(kept, Column) and kept.decimated
    if form.framed:
        series = FrameSeries(
            sensor_id=sensor_id,
            t=seconds,
            raw=kept.raw if "raw" in values else None,
            physical=kept.physical if "physical" in values else None,
            status=kept.status,
            delay_ms=float("nan"),
            decimated=decimated,
            total=column.total,
            gaps=np.array(gaps, np.float64).reshape(-1, 2) / 1e6,
        )
        return web.Response(body=frames.encode(Frame("", 0, [series])), content_type=frames.MEDIA_TYPE)
    answer: dict[str, object] = {"sensor_id": sensor_id, "t": seconds}
    if "raw" in values:
        answer["raw"] = kept.raw
    if "physical" in values:
        answer["physical"] = kept.physical
    answer |= {
        "status": [STATUS_NAMES[code] for code in kept.status.tolist()],
        "total": column.total,
        "decimated": decimated,
        "revision": form.revision,
        "gaps": [(before / 1e6, after / 1e6) for before, after in gaps],
    }
    if isinstance(kept, Windows):
        answer["count"] = kept.count
    return web.Response(
        body=orjson.dumps({k: _plain(v) for k, v in answer.items()}, option=orjson.OPT_SERIALIZE_NUMPY),
        content_type="application/json",
    )


def _plain(value: object) -> object:
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value
