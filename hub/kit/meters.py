"""What one process measures of itself, as Prometheus metrics."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

LATENCY_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5.0, 15.0)
# A switch of protocols ends when the connection does: its time says nothing.
SWITCHED: Final = 101


class Meters:
    """The instruments of a process, each made by whoever asks for it first; a registry of its own for each hub."""

    def __init__(self) -> None:
        """Make the instruments that every process has."""
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self._histograms: dict[str, Histogram] = {}
        self._counters: dict[str, Counter] = {}
        # Found once for each kind of request: finding them costs more than counting.
        self._noted: dict[tuple[str, str, int], tuple[Counter, Histogram | None]] = {}
        self._requests = self.counter(
            "etp_http_requests", "Requests answered by this process.", ("method", "route", "status")
        )
        self._latency = self.histogram(
            "etp_http_request_seconds", "From a request's head to the end of its answer.", ("method", "route")
        )

    def counter(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        """Return the counter of this name."""
        if name not in self._counters:
            self._counters[name] = Counter(name, text, labels, registry=self.registry)
        return self._counters[name]

    def histogram(
        self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float] = LATENCY_BUCKETS_S
    ) -> Histogram:
        """Return the histogram of this name."""
        if name not in self._histograms:
            self._histograms[name] = Histogram(name, text, labels, buckets=buckets, registry=self.registry)
        return self._histograms[name]

    def note_request(self, method: str, route: str | None, status: int, duration_s: float) -> None:
        """Count a request; `route` is its pattern, so that ids make no new series, None where nothing fits."""
        # Anybody may send any word as a method.
        kind = (method if method in _METHODS else "other", route or "none", status)
        noted = self._noted.get(kind)
        if noted is None:
            known, where, _ = kind
            latency = None if status == SWITCHED else self._latency.labels(known, where)
            noted = self._noted[kind] = (self._requests.labels(known, where, str(status)), latency)
        requests, latency = noted
        requests.inc()
        if latency is not None:
            latency.observe(duration_s)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
