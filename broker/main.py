"""`etp broker`: the embedded broker as a program of its own."""

import asyncio
import signal
import sys
from typing import Final

import structlog
import uvloop

from broker.embedded import EmbeddedBroker, PortInUse
from broker.hub_accounts import HubAccounts
from broker.settings import BrokerSettings
from contract import logs

log: Final = structlog.get_logger(__name__)


def run(settings: BrokerSettings) -> None:
    """Run the broker until SIGTERM or SIGINT; exits with status 1 and one line when its port is taken."""
    logs.configure()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except PortInUse as taken:
        sys.exit(f"etp broker: {taken}")


async def serve(settings: BrokerSettings) -> None:
    """Serve until SIGTERM or SIGINT; raises `PortInUse`."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with HubAccounts(
        settings.hub, timeout_s=settings.broker_login_timeout_s, recheck_s=settings.broker_recheck_s
    ) as accounts:
        broker = EmbeddedBroker(settings, accounts)
        await broker.start()
        log.info("broker ready", host=settings.mqtt_host, port=broker.port, hub=settings.hub)
        try:
            await stopped.wait()
        finally:
            await broker.shutdown()
