"""The composition root: makes the hub's parts and puts the slices together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from aiohttp import WSCloseCode, web
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from hub import asyncapi, frontend, gateway, health, openapi
from hub.audit.routes import routes as audit_routes
from hub.auth import personal_tokens, post, session_queries, tidy
from hub.auth.routes import routes as auth_routes
from hub.backfills import service as backfills
from hub.backfills import worker as backfill_worker
from hub.backfills.routes import routes as backfill_routes
from hub.brokers import notices
from hub.brokers.program import keeper_of
from hub.captures import auto_stop
from hub.captures import service as captures
from hub.captures.routes import routes as capture_routes
from hub.channels import parts as channels
from hub.channels import tidy as channel_tidy
from hub.channels.influx_routes import routes as influx_routes
from hub.channels.routes import routes as proposal_routes
from hub.channels.senml_routes import routes as senml_routes
from hub.channels.thingsboard_routes import routes as thingsboard_routes
from hub.conversion.routes import routes as conversion_routes
from hub.events import from_facts
from hub.events.service import EVENTS, Events
from hub.experiments import guards as experiment_guards
from hub.experiments.routes import routes as experiment_routes
from hub.journal import tidy as journal_tidy
from hub.journal.routes import routes as journal_routes
from hub.journal.service import JOURNAL, Journal
from hub.kit import wire
from hub.kit.clock import Clock, SystemClock
from hub.kit.context import HUB, Hub
from hub.kit.db import APPLICATION_ROLE, Database
from hub.kit.endpoint import Endpoint, register
from hub.kit.key_service import key_service_of
from hub.kit.limits import Limiter
from hub.kit.mail import Mail, Outbox, Smtp
from hub.kit.problems import DatabaseAway
from hub.kit.remembered import Remembered
from hub.kit.vault import Vault
from hub.kit.workers import Workers
from hub.ledger import chain
from hub.live.captures import CaptureLedgers
from hub.live.fanout import Fanout
from hub.live.health import Health
from hub.live.intake import IntakeWatch
from hub.live.relay import Relay
from hub.live.routes import SOCKETS, STREAMS
from hub.live.routes import routes as live_routes
from hub.live.watch import PARTS, Parts
from hub.monitoring import page as monitoring
from hub.projects import guards as project_guards
from hub.projects.member_routes import routes as member_routes
from hub.projects.routes import routes as project_routes
from hub.runs import guards as run_guards
from hub.runs import service as runs
from hub.runs.routes import routes as run_routes
from hub.sealing import worker as sealing
from hub.sealing.routes import routes as sealing_routes
from hub.sensors import guards as sensor_guards
from hub.sensors.agent_routes import routes as edge_agent_routes
from hub.sensors.routes import routes as sensor_routes
from hub.settings import ALL_ROLES, Role, Settings
from hub.telemetry import merging, retention, sharding
from hub.telemetry.crew import Crew
from hub.telemetry.dropped_routes import routes as dropped_routes
from hub.telemetry.fabric import FABRIC, add_workers, make_fabric
from hub.telemetry.ingest_routes import root_routes as telemetry_root_routes
from hub.telemetry.ingest_routes import routes as telemetry_routes
from hub.telemetry.preview_routes import routes as preview_routes
from hub.telemetry.routes import routes as sample_routes
from hub.telemetry.socket_routes import SOCKETS as TELEMETRY_SOCKETS
from hub.telemetry.socket_routes import root_routes as socket_root_routes
from hub.telemetry.socket_routes import routes as socket_routes
from hub.telemetry.stream_routes import STREAMS as TELEMETRY_STREAMS
from hub.telemetry.stream_routes import root_routes as stream_root_routes
from hub.telemetry.stream_routes import routes as stream_routes
from hub.telemetry.trial_routes import routes as trial_routes
from hub.telemetry.unreadable_routes import routes as unreadable_routes
from hub.telemetry.vector_routes import routes as vector_routes
from hub.telemetry.writer import Writer

WORKERS = web.AppKey("workers", Workers)

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for routes in (
        auth_routes,
        project_routes,
        audit_routes,
        member_routes,
        conversion_routes,
        preview_routes,
        sensor_routes,
        journal_routes,
        edge_agent_routes,
        experiment_routes,
        run_routes,
        capture_routes,
        telemetry_routes,
        telemetry_root_routes,
        socket_routes,
        socket_root_routes,
        stream_routes,
        stream_root_routes,
        trial_routes,
        vector_routes,
        sample_routes,
        dropped_routes,
        unreadable_routes,
        sealing_routes,
        proposal_routes,
        influx_routes,
        senml_routes,
        thingsboard_routes,
        backfill_routes,
    )
    for endpoint in routes.endpoints
)
LIVE_ENDPOINTS: tuple[Endpoint, ...] = tuple(live_routes.endpoints)


def make_hub(settings: Settings, clock: Clock | None = None) -> Hub:
    """Make the parts that all slices share; nothing is connected yet."""
    db = Database(settings.database_url, max_size=settings.database_connections, role=APPLICATION_ROLE)
    # Asked, and told events: a connection that died while it was idle costs a repetition, no refusal.
    stream = Redis.from_url(
        settings.redis_url,
        socket_timeout=10.0,
        socket_connect_timeout=5.0,
        retry=Retry(ConstantBackoff(0.05), 2, supported_errors=(RedisConnectionError,)),
    )
    return Hub(
        db=db,
        stream=stream,
        settings=settings,
        clock=clock or SystemClock(),
        vault=Vault(db, key_service_of(settings)),
        remembered=Remembered(db, session_queries.access_version),
        limits=Limiter.at(settings.redis_url),
    )


def make_mail(settings: Settings) -> Mail:
    """Make what letters are sent by."""
    if settings.smtp_url is not None:
        return Smtp(settings.smtp_url, settings.mail_from)
    return Outbox(settings.data_dir / "outbox", settings.mail_from)


def _connect_slices() -> None:
    """Let slices ask those above them, which they do not import."""
    sensor_guards.before_deletion(runs.runs_that_need)
    sensor_guards.before_deletion(captures.captures_that_need)
    sensor_guards.before_deletion(backfills.backfills_that_need)
    project_guards.before_deletion(captures.running_in_project)
    experiment_guards.before_archival(runs.active_runs)
    experiment_guards.before_deletion(runs.all_runs)
    run_guards.before_ending(captures.stop_all_of_run)


def create_app(settings: Settings, roles: frozenset[Role] = ALL_ROLES, clock: Clock | None = None) -> web.Application:
    """Build the application with the parts that `roles` name."""
    _connect_slices()
    app = web.Application(client_max_size=wire.MAX_BODY_BYTES)
    gateway.mount(app, settings)
    hub = make_hub(settings, clock)
    app[HUB] = hub
    workers = app[WORKERS] = Workers(hub.clock)
    workers.add("access", hub.remembered.run)
    workers.add("data keys", hub.vault.run)
    events = app[EVENTS] = Events(hub.stream, hub.clock)
    workers.add("events", events.run)
    journal = app[JOURNAL] = Journal(hub, events)
    workers.add("journal", journal.run)
    if "live" in roles:
        _add_live(app, hub, workers)
    if "writer" in roles:
        crew = Crew()
        for shard in range(settings.stream_shards):
            workers.add(f"writer {shard}", Writer(hub, shard, crew).run)
    if "worker" in roles:
        workers.add("ledger.chain", lambda: chain.run(hub.db, lambda facts: from_facts.publish(events, facts)))
        workers.add("captures.auto_stop", lambda: auto_stop.run(hub))
        workers.add("sealing", lambda: sealing.run(hub))
        workers.add("telemetry.merging", lambda: merging.run(hub))
        workers.add("telemetry.retention", lambda: retention.run(hub))
        workers.add("backfills", lambda: backfill_worker.run(hub, events))
        mail = make_mail(settings)
        workers.add("auth.post", lambda: post.run(hub, mail))
        workers.add("auth.tidy", lambda: tidy.run(hub.db))
        workers.add("journal.tidy", lambda: journal_tidy.run(hub.db, settings.journal_days))
        workers.add("channels.tidy", lambda: channel_tidy.run(hub.db))
        _keep_broker_accounts(hub, workers)
    if "api" in roles:
        workers.add("auth.personal_tokens", lambda: personal_tokens.note_uses(hub))
        fabric = app[FABRIC] = make_fabric(hub, journal)
        add_workers(fabric, hub, workers)
        foreign = app[channels.CHANNELS] = channels.make_channels(hub, fabric)
        channels.add_workers(foreign, workers)
        app[TELEMETRY_SOCKETS], app[TELEMETRY_STREAMS] = set(), set()
        app.on_shutdown.append(_end_telemetry)
        for endpoint in ENDPOINTS:
            register(app, endpoint)
        openapi.mount(app, (*ENDPOINTS, *LIVE_ENDPOINTS))
        asyncapi.mount(app, (*ENDPOINTS, *LIVE_ENDPOINTS))
        frontend.mount(app, Path(settings.frontend_dir))
    health.mount(app, app[WORKERS])
    live = app.get(PARTS)
    monitoring.mount(app, app[WORKERS], app.get(FABRIC), live and live.fanout)
    app.cleanup_ctx.append(_parts)
    return app


def _add_live(app: web.Application, hub: Hub, workers: Workers) -> None:
    relay = Relay(hub.settings.redis_url)
    parts = app[PARTS] = Parts(Fanout(hub), relay, Health(hub, relay), CaptureLedgers(hub))
    app[SOCKETS], app[STREAMS] = set(), set()
    for endpoint in LIVE_ENDPOINTS:
        register(app, endpoint)
    for shard in range(hub.settings.stream_shards):
        workers.add(f"live {shard}", lambda shard=shard: parts.fanout.read(shard))
    workers.add("live events", relay.run)
    workers.add("live health", parts.health.run)
    workers.add("live captures", parts.captures.run)
    workers.add("live intake", IntakeWatch(hub, relay).run)
    app.on_shutdown.append(_close_sockets)


async def _end_telemetry(app: web.Application) -> None:
    for stream in app[TELEMETRY_STREAMS]:
        stream.stop()
    await _say_goodbye(app[TELEMETRY_SOCKETS])


def _keep_broker_accounts(hub: Hub, workers: Workers) -> None:
    settings = hub.settings
    if settings.mosquitto_dir is None:
        return
    keeper = keeper_of(settings, settings.mosquitto_dir, hub.db, hub.vault, hub.clock)
    workers.add("brokers.keeper", keeper.run)
    workers.add("brokers.notices", lambda: notices.listen(keeper.password, settings.broker_url, keeper.heard))


async def _close_sockets(app: web.Application) -> None:
    for stream in app[STREAMS]:
        stream.stop()
    await _say_goodbye(app[SOCKETS])


async def _say_goodbye(sockets: Iterable[web.WebSocketResponse]) -> None:
    closing = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in list(sockets)]
    await asyncio.gather(*closing, return_exceptions=True)


async def _parts(app: web.Application) -> AsyncIterator[None]:
    hub = app[HUB]
    try:
        # A wrong key file or number of shards ends the start; a database that is away is waited for.
        with contextlib.suppress(DatabaseAway):
            await hub.vault.ready()
            await sharding.check(hub)
        workers = asyncio.create_task(app[WORKERS].run_all(), name="workers")
        yield
        workers.cancel()
        await asyncio.gather(workers, return_exceptions=True)
    finally:
        await hub.limits.close()
        await hub.stream.aclose()
        await hub.db.close()
