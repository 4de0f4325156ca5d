"""Bodies of telemetry as they arrive: decompressed within their limit, so that a bomb never unfolds."""

import zlib
from typing import Final, Protocol

import zstandard

from hub.kit import bodies
from hub.kit.context import Context
from hub.telemetry.problems import BadCompression, UnknownEncoding
from hub.telemetry.receiving import too_large

MAX_WINDOW_BYTES: Final = 8 << 20
# Four bytes of zstd may stand for 128 KiB: fed so little at once, it cannot answer with more than 8 MiB.
_ZSTD_SLICE_BYTES: Final = 256


class _Unpacker(Protocol):
    """Decompresses a body piece by piece; `finished` once its end was seen."""

    finished: bool

    def take(self, chunk: bytes, most: int) -> bytes:
        """Return what a piece stands for, of which more than `most` bytes need not be had; raises BadCompression."""
        ...


class _Identity:
    """Nothing to decompress."""

    finished = True

    def take(self, chunk: bytes, most: int) -> bytes:
        return chunk


class _Gzip:
    """One gzip stream."""

    finished = False

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def take(self, chunk: bytes, most: int) -> bytes:
        try:
            part = self._stream.decompress(chunk, most)
        except zlib.error as error:
            raise BadCompression(why=str(error)) from error
        if self._stream.unused_data:
            raise BadCompression(why="Something follows the end of the stream.")
        self.finished = self._stream.eof
        return part


class _Zstd:
    """One zstd frame."""

    finished = False

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()

    def take(self, chunk: bytes, most: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        for at in range(0, len(chunk), _ZSTD_SLICE_BYTES):
            if self.finished:
                raise BadCompression(why="Something follows the end of the frame.")
            try:
                part = self._stream.decompress(chunk[at : at + _ZSTD_SLICE_BYTES])
            except zstandard.ZstdError as error:
                raise BadCompression(why=str(error)) from error
            if self._stream.unused_data:
                raise BadCompression(why="Something follows the end of the frame.")
            self.finished = self._stream.eof
            parts.append(part)
            size += len(part)
            if size >= most:
                break
        return b"".join(parts)


_UNPACKERS: Final[dict[str, type[_Unpacker]]] = {"identity": _Identity, "gzip": _Gzip, "zstd": _Zstd}


async def read_body(ctx: Context) -> bytes:
    """Read and decompress a body; stops as soon as it grows over the limit."""
    limit = ctx.hub.settings.max_packet_bytes
    kind = _UNPACKERS.get(ctx.request.headers.get("Content-Encoding", "identity").lower())
    if kind is None:
        raise UnknownEncoding
    if (ctx.request.content_length or 0) > limit:
        raise too_large(ctx.hub, f"The body has {ctx.request.content_length} bytes")
    unpacker = kind()
    parts: list[bytes] = []
    size = 0
    async for chunk in bodies.chunks(ctx.request):
        part = unpacker.take(chunk, limit + 1 - size)
        size += len(part)
        if size > limit:
            raise too_large(ctx.hub, "The body is too long")
        parts.append(part)
    if not unpacker.finished:
        raise BadCompression(why="The stream is cut short.")
    return b"".join(parts)
