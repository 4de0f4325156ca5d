"""PostgreSQL: the pool, transactions with time limits, and what being away looks like."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson
import structlog

from hub.kit.problems import DatabaseAway, TryAgain

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Tx: TypeAlias = PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]
else:
    Tx: TypeAlias = asyncpg.Connection  # asyncpg's classes cannot be subscripted at run time

log = structlog.get_logger(__name__)

# What the hub's connections act as, whichever login they come by: it can read and add facts, never change them.
APPLICATION_ROLE: Final = "etp_app"

AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    TimeoutError,
)
# The role does not exist before the migrations, or the login was not given it.
UNPREPARED = (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError)
# PostgreSQL ends one of those who wait for each other in a circle, or whose moments do not fit together.
CROSSED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
CONNECT_S: Final = 5.0
# How long a statement that was given up may take to end, so that its connection serves on.
GIVE_UP_S: Final = 2.0


def _encode_json(value: object) -> str:
    return orjson.dumps(value).decode()


def _uuid_bytes(value: UUID | str) -> bytes:
    return value.bytes if isinstance(value, UUID) else UUID(value).bytes


def _uuid_of(data: bytes) -> UUID:
    return UUID(bytes=bytes(data))


async def prepare_connection(connection: Tx) -> None:
    """Teach a fresh connection jsonb as Python objects, and the standard library's UUID instead of the driver's own."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_encode_json, decoder=orjson.loads, schema="pg_catalog")
    await connection.set_type_codec("uuid", encoder=_uuid_bytes, decoder=_uuid_of, schema="pg_catalog", format="binary")


def session_settings(name: str, role: str | None) -> dict[str, str]:
    """Return what a connection sets when it begins, so that no later reset of the session takes it back."""
    # A statement ends soon after its connection was cut, rather than hold on to what it waits for.
    settings = {"application_name": name, "timezone": "UTC", "jit": "off", "client_connection_check_interval": "1s"}
    return settings if role is None else settings | {"role": role}


def _timed_out(error: BaseException) -> bool:
    """Tell whether a statement got no answer in time: a handler's own deadline is not raised inside the driver."""
    return isinstance(error, TimeoutError) and any(
        str(frame.f_globals.get("__name__")).startswith("asyncpg.")
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def _cut(connection: Tx) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # it may be closed already
        connection.terminate()


@asynccontextmanager
async def _transaction(connection: Tx, **kind: Any) -> AsyncGenerator[None]:
    """Keep a transaction; one whose statement got no answer is not rolled back for as long once more."""
    cut: asyncio.TimerHandle | None = None
    try:
        async with connection.transaction(**kind):
            try:
                yield
            except TimeoutError as error:
                if _timed_out(error):
                    cut = asyncio.get_running_loop().call_later(GIVE_UP_S, _cut, connection)
                raise
    finally:
        if cut is not None:
            cut.cancel()


async def _give_back(pool: "asyncpg.Pool[asyncpg.Record]", connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
    try:
        await asyncio.shield(pool.release(connection, timeout=GIVE_UP_S))
    except AWAY as error:
        # The pool has closed it. What was done with it stands, or failed already for a reason of its own.
        log.info("a connection could not be given back", error=str(error), kind=type(error).__name__)


class Database:
    """A lazily connected pool: the hub starts and answers 503 while the database is away."""

    def __init__(
        self, url: str, *, max_size: int = 10, statement_timeout_s: float = 15.0, role: str | None = None
    ) -> None:
        """Point to `url`; no connection is made before the first use. Every connection assumes `role`."""
        self._url = url
        self._role = role
        self._max_size = max_size
        self._statement_timeout_s = statement_timeout_s
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()

    async def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        """Return the pool, opening it on first use; raises DatabaseAway."""
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    try:
                        self._pool = await asyncpg.create_pool(
                            self._url,
                            min_size=0,
                            max_size=self._max_size,
                            timeout=CONNECT_S,
                            command_timeout=self._statement_timeout_s,
                            init=prepare_connection,
                            server_settings=session_settings("etp hub", self._role),
                        )
                    except AWAY as error:
                        raise DatabaseAway from error
        return self._pool

    @asynccontextmanager
    async def connection(self, within_s: float | None = None) -> AsyncGenerator[Tx]:
        """Lend a connection without a transaction; raises DatabaseAway, or TryAgain for the victim of a deadlock.

        After `within_s` it is cut, so that whoever waits for an answer then finds the database away.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        pool = await self.pool()
        try:
            connection = await pool.acquire(timeout=CONNECT_S if within_s is None else min(CONNECT_S, within_s))
        except AWAY as error:
            raise DatabaseAway from error
        except UNPREPARED as error:
            log.warning("the database is not prepared for the hub", error=str(error))
            raise DatabaseAway from error
        cut = None if within_s is None else loop.call_at(began + within_s, _cut, connection)
        try:
            yield connection
        except AWAY as error:
            if isinstance(error, TimeoutError) and not _timed_out(error):
                raise
            raise DatabaseAway from error
        except CROSSED as error:
            raise TryAgain from error
        finally:
            await _give_back(pool, connection)
            if cut is not None:
                cut.cancel()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """Lend a connection inside a transaction: committed at the end, rolled back by any exception."""
        async with self.connection() as connection, _transaction(connection):
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Tx]:
        """Lend a connection inside a read-only transaction that sees one moment of the database throughout."""
        async with (
            self.connection() as connection,
            _transaction(connection, isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def close(self) -> None:
        """Close every connection, at most five seconds long."""
        if self._pool is not None:
            try:
                async with asyncio.timeout(5.0):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()
