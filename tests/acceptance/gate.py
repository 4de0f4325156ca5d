"""A small proxy between two parts, through which a network between them is cut."""

import asyncio
import contextlib


class Gate:
    """Passes connections on to a port of this machine, until it is shut or held.

    Shut, it refuses connections and breaks those there are. Held, it takes everything and passes nothing on until it
    is let go, as a network does that lost its way for a while: what was on its way arrives later, wanted or not.
    """

    def __init__(self, port: int, target_port: int) -> None:
        self.port = port
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._passing: dict[asyncio.Task[None] | None, list[asyncio.StreamWriter]] = {}
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def open(self) -> None:
        """Let everything through."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """Refuse new connections and break those there are."""
        self._flowing.set()
        if self._server is not None:
            self._server.close()
            passing, self._server = dict(self._passing), None
            for writers in passing.values():
                for writer in writers:
                    writer.transport.abort()
            await asyncio.gather(*(task for task in passing if task is not None))

    def hold(self) -> None:
        """Pass nothing on until it is opened."""
        self._flowing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        writers = self._passing[task] = [writer]
        try:
            await self._flowing.wait()
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            writers.append(up_writer)
            await asyncio.gather(self._copy(reader, up_writer), self._copy(up_reader, writer))
        except OSError:
            writer.transport.abort()
        finally:
            del self._passing[task]

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
