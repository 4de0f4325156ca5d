"""Where the embedded servers of a data folder answer, for programs that did not start them."""

import socket
from typing import Final

from dev.postgres import Postgres
from dev.settings import Parts
from dev.valkey import Valkey

_ANSWER_S: Final = 2.0


class NotRunning(RuntimeError):
    """An embedded server that is needed does not run."""


def database_url(parts: Parts) -> str:
    """Return the address of the database: the one that is set, or the embedded one's; raises NotRunning."""
    if parts.database_url is not None:
        return parts.database_url
    server = Postgres(parts.data_dir / "postgres")
    _require("PostgreSQL", "ETP_DATABASE_URL", server)
    return server.url


def stream_url(parts: Parts, *, needed: bool) -> str:
    """Return the address of the stream, whether it answers or not; raises NotRunning where it is `needed`."""
    if parts.redis_url is not None:
        return parts.redis_url
    server = Valkey(parts.data_dir / "valkey")
    if needed:
        _require("Valkey", "ETP_REDIS_URL", server)
    return server.url


def _require(title: str, setting: str, server: Postgres | Valkey) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_ANSWER_S)
        try:
            probe.connect(str(server.socket))
        except OSError as error:
            raise NotRunning(
                f"{setting} is not set, and no {title} runs in {server.data_dir}: start the system with `make run`, "
                f"name its folder with ETP_DATA_DIR, or set {setting}"
            ) from error
