"""What a process tells of its own parts: what waits before the stream, who watches, how its workers fare."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from hub.kit.workers import Workers
from hub.live.fanout import Fanout
from hub.telemetry.fabric import Fabric


def of_process(workers: Workers, fabric: Fabric | None, fanout: Fanout | None) -> Iterator[Metric]:
    """Return the state of the parts that this process's roles have."""
    yield from _of_workers(workers)
    if fabric is not None:
        yield from _of_appenders(fabric)
    if fanout is not None:
        yield GaugeMetricFamily("etp_live_viewers", "Open live connections.", value=fanout.viewers)


def _of_workers(workers: Workers) -> Iterator[Metric]:
    running = GaugeMetricFamily("etp_worker_running", "Whether a background worker runs.", labels=["worker"])
    restarts = CounterMetricFamily(
        "etp_worker_restarts", "How often a worker failed and began anew.", labels=["worker"]
    )
    for state in workers.states:
        running.add_metric([state.name], float(state.running))
        restarts.add_metric([state.name], state.restarts)
    yield from (running, restarts)


def _of_appenders(fabric: Fabric) -> Iterator[Metric]:
    entries = GaugeMetricFamily("etp_appender_queue_entries", "Bodies that wait for the disk.", labels=["shard"])
    size = GaugeMetricFamily("etp_appender_queue_bytes", "Bytes that wait for the disk.", labels=["shard"])
    full = GaugeMetricFamily("etp_stream_full", "Whether the stream is near its bound.", labels=["shard"])
    remembered = GaugeMetricFamily(
        "etp_appender_remembered", "Acknowledged entries that are watched until they are stored.", labels=["shard"]
    )
    for appender in fabric.appenders:
        shard = [str(appender.shard)]
        entries.add_metric(shard, appender.queued)
        size.add_metric(shard, appender.queued_bytes)
        full.add_metric(shard, float(appender.full))
        remembered.add_metric(shard, len(appender.remembered))
    yield from (entries, size, full, remembered)
