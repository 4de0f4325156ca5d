"""Starts the hub as a program."""

import asyncio
import contextlib
import gc
import signal
import ssl

import structlog
import uvloop
from aiohttp import web

from contract import logs
from hub.app import create_app
from hub.gateway import make_runner
from hub.kit.tls import server_context
from hub.settings import Role, Settings

log = structlog.get_logger(__name__)

SHUTDOWN_S = 5.0


def collect_rarely() -> None:
    """Look for garbage cycles rarely: a body makes thousands of containers, which die without a collector's help."""
    gc.collect()
    gc.freeze()  # what is there now stays; it need not be looked at again
    gc.set_threshold(50_000, 20, 20)


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return what ends TLS in this process, None where a proxy does, or nobody."""
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return server_context(settings.tls_cert_file, settings.tls_key_file)


async def serve(settings: Settings, roles: frozenset[Role]) -> None:
    """Serve until SIGINT or SIGTERM, then end open requests within five seconds."""
    runner = make_runner(create_app(settings, roles), shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.http_port, reuse_port=False, ssl_context=tls_of(settings))
        await site.start()
        collect_rarely()
        log.info("hub ready", host=settings.host, port=settings.http_port, roles=sorted(roles))
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
    finally:
        await runner.cleanup()


def run(settings: Settings, roles: frozenset[Role]) -> None:
    """Run the hub in this process."""
    logs.configure()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(settings, roles))
