"""The page that Prometheus reads."""

import asyncio
from collections.abc import Iterable
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from hub.kit.context import HUB
from hub.kit.workers import Workers
from hub.live.fanout import Fanout
from hub.monitoring.ledgers import Ledgers
from hub.monitoring.process import of_process
from hub.telemetry.fabric import Fabric

# However many ask, and however often, stream and database are asked no oftener than this.
KEEP_S: Final = 1.0


class _Given(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def mount(app: web.Application, workers: Workers, fabric: Fabric | None, fanout: Fanout | None) -> None:
    """Add /metrics; like /healthz it is for whoever runs the hub, and holds ids and counts only."""
    ledgers = Ledgers(app[HUB])
    asking = asyncio.Lock()
    text, read_at_s = b"", -KEEP_S

    async def metrics(request: web.Request) -> web.Response:
        nonlocal text, read_at_s
        async with asking:
            now_s = asyncio.get_running_loop().time()
            if now_s >= read_at_s + KEEP_S:
                text = _write(await ledgers.read())
                read_at_s = asyncio.get_running_loop().time()
        own = _write(of_process(workers, fabric, fanout)) + generate_latest(request.app[HUB].meters.registry)
        return web.Response(body=text + own, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", metrics)


def _write(metrics: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(metrics))
    return generate_latest(registry)
