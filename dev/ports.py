"""TCP ports on 127.0.0.1: which are free, and who holds the others."""

import contextlib
import secrets
import socket
from collections.abc import Mapping

import psutil


class PortTaken(RuntimeError):
    """Another program listens on a port that the system needs."""


def require(wanted: Mapping[str, int]) -> None:
    """Raise `PortTaken` when a port is taken, saying which, by whom, and the setting (the key) to choose another by."""
    taken = {name: port for name, port in wanted.items() if not is_free(port)}
    if taken:
        facts = "; ".join(f"port {port} is taken{_holder(port)}" for port in taken.values())
        others = " ".join(f"{name}={_next_free(port)}" for name, port in taken.items())
        raise PortTaken(f"{facts[0].upper()}{facts[1:]}. Choose another: {others} make run")


def is_free(port: int) -> bool:
    """Tell whether a server may listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Find a port that nobody listens on now, below those that the kernel gives to outgoing connections.

    One of theirs could be taken by any client while its server is down for a moment.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        if is_free(port):
            return port


def _next_free(port: int) -> int:
    return next((p for p in range(port + 1, 65536) if is_free(p)), port)


def _holder(port: int) -> str:
    with contextlib.suppress(psutil.Error):  # other users' connections are hidden from some
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""
