"""Servers that hang: their connections stand, and no answer comes."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from dev.folder_server import FolderServer


@contextmanager
def paused(server: FolderServer) -> Iterator[None]:
    """Stop every process of a server that belongs to this test alone, and let them go on in the end."""
    stopped: list[psutil.Process] = []
    try:
        # The parent first, so that no child comes behind.
        stopped.append(psutil.Process(server.pid))
        stopped[0].suspend()
        for child in stopped[0].children(recursive=True):
            stopped.append(child)
            child.suspend()
        yield
    finally:
        for process in reversed(stopped):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
