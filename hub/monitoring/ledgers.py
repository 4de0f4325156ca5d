"""The ledger of samples, the stream's lag, sensors and captures, as every process of the hub tells them alike."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from redis.exceptions import RedisError

from hub.kit.context import Hub
from hub.kit.problems import DatabaseAway
from hub.monitoring import queries
from hub.telemetry.unstored import Unstored
from hub.telemetry.waiting import WaitingWatch

log = structlog.get_logger(__name__)

TIMEOUT_S: Final = 2.0
COUNTED: Final = {
    "received": "Samples that arrived: stored, duplicates, rejected and pending ones.",
    "stored": "Samples in the database.",
    "duplicates": "Samples that were there already.",
    "rejected": "Samples that were refused one by one.",
    "late": "Stored samples that were older than their sensor's newest.",
    "lost": "Samples that were acknowledged and then gone with the stream's files.",
    "dropped": "Samples that edge agents dropped from full spools: they never arrived.",
    "differing": "Physical values that an edge agent computed otherwise.",
}


@dataclass(frozen=True)
class Found:
    """What one moment of the database says."""

    samples: Sequence[Any]
    states: Sequence[Any]
    captures: Sequence[Any]
    dead_entries: int


class Ledgers:
    """Asks stream and database; either may be away, which a gauge says."""

    def __init__(self, hub: Hub) -> None:
        """Start with nothing known."""
        self._hub = hub
        self._waiting = WaitingWatch(hub)

    async def read(self) -> list[Metric]:
        """Read everything anew.

        The stream is asked before the database, so that a sample that is stored in between is counted once.
        """
        await _within(self._look_at_positions)
        stream = await _within(self._look_at_stream)
        found = await _within(self._look_at_database)
        metrics = [
            _gauge("etp_stream_up", "Whether the stream answers.", float(stream is not None)),
            _gauge("etp_database_up", "Whether the database answers.", float(found is not None)),
        ]
        if stream is not None:
            metrics += _of_stream(self._waiting.lags())
        if found is not None:
            pending = self._waiting.samples() if stream else None
            metrics += _of_samples(found.samples, pending, by_sensor=self._hub.settings.metrics_by_sensor)
            metrics += _of_database(found)
        return metrics

    async def _look_at_positions(self) -> bool:
        await self._waiting.note_positions()
        return True

    async def _look_at_stream(self) -> bool:
        await self._waiting.look()
        return True

    async def _look_at_database(self) -> Found:
        async with self._hub.db.snapshot() as tx:
            await self._waiting.settle(tx)
            return Found(
                samples=await queries.sample_counts(tx),
                states=await queries.sensor_states(tx),
                captures=await queries.captures(tx),
                dead_entries=await queries.dead_entries(tx),
            )


async def _within(look: Callable[[], Any]) -> Any:
    """Look, but not for long; None when what is looked at is away."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await look()
    except (DatabaseAway, RedisError, OSError, TimeoutError) as error:
        log.debug("metrics without a part", part=look.__name__, error=str(error))
        return None


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _of_stream(lags: Mapping[int, Unstored]) -> Iterator[Metric]:
    told: list[tuple[str, str, Callable[[Unstored], float]]] = [
        ("etp_stream_lag_entries", "Entries that wait to be stored.", lambda lag: lag.entries),
        ("etp_stream_lag_bytes", "Bytes that wait to be stored.", lambda lag: lag.bytes),
        ("etp_stream_lag_samples", "Samples that wait to be stored.", lambda lag: sum(lag.samples.values())),
        ("etp_stream_lag_seconds", "Age of the oldest entry that waits.", lambda lag: lag.age_s),
        ("etp_stream_lag_whole", "0 while more waits than was counted so far.", lambda lag: lag.whole),
    ]
    for name, text, value_of in told:
        family = GaugeMetricFamily(name, text, labels=["shard"])
        for shard, lag in lags.items():
            family.add_metric([str(shard)], float(value_of(lag)))
        yield family


def _of_samples(rows: Sequence[Any], pending: Mapping[int, int] | None, *, by_sensor: bool) -> Iterator[Metric]:
    """Sum the counts by project, or tell each sensor's; without the stream pending and received are not known."""
    labels = ["project_id", "sensor_id"] if by_sensor else ["project_id"]
    sums: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows:
        key = (str(row["project_id"]), str(row["id"])) if by_sensor else (str(row["project_id"]),)
        counts = sums.setdefault(key, Counter())
        counts.update({name: row[name] for name in (*COUNTED, "packets_sent", "packets_missing")})
        waiting = 0 if pending is None else pending.get(row["no"], 0)
        counts.update(received=waiting, pending=waiting)
    for name, text in COUNTED.items():
        if name != "received" or pending is not None:
            family = CounterMetricFamily(f"etp_samples_{name}", text, labels=labels)
            for key, counts in sums.items():
                family.add_metric(key, counts[name])
            yield family
    if pending is not None:
        waiting = GaugeMetricFamily("etp_samples_pending", "Samples that wait in the stream.", labels=labels)
        for key, counts in sums.items():
            waiting.add_metric(key, counts["pending"])
        yield waiting
    sent = CounterMetricFamily(
        "etp_packets_sent",
        "Numbered packets, from the first to the last number of each boot of a device.",
        labels=labels,
    )
    missing = GaugeMetricFamily("etp_packets_missing", "Those of them that have not come.", labels=labels)
    for key, counts in sums.items():
        sent.add_metric(key, counts["packets_sent"])
        missing.add_metric(key, counts["packets_missing"])
    yield from (sent, missing)


def _of_database(found: Found) -> Iterator[Metric]:
    sensors = GaugeMetricFamily("etp_sensors", "Sensors by state.", labels=["project_id", "state"])
    for row in found.states:
        sensors.add_metric([str(row["project_id"]), row["state"]], row["n"])
    captures = GaugeMetricFamily("etp_captures", "Capture sessions by status.", labels=["status"])
    lengths = HistogramMetricFamily("etp_capture_seconds", "Lengths of captures that have stopped.", labels=["status"])
    running = 0.0
    for row in found.captures:
        captures.add_metric([row["status"]], row["n"])
        if row["status"] == "running":
            running = row["longest_s"]
        if row["status"] in {"finished", "sealed"}:
            buckets = [(f"{limit}.0", row[f"to_{limit}_s"]) for limit in (10, 60, 600, 3600, 86400)]
            lengths.add_metric([row["status"]], [*buckets, ("+Inf", row["n"])], row["total_s"])
    yield from (sensors, captures, lengths)
    yield _gauge("etp_capture_longest_running_seconds", "Since when the oldest running capture runs.", running)
    dead = CounterMetricFamily("etp_stream_dead_entries", "Entries that could not be stored and were set aside.")
    dead.add_metric([], found.dead_entries)
    yield dead
