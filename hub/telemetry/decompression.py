"""Bodies of telemetry as they arrive: decompressed within their limit, so that a bomb never unfolds."""

import zlib

from hub.kit import bodies
from hub.kit.context import Context
from hub.telemetry.problems import BadCompression, PacketTooLarge, UnknownEncoding


async def read_body(ctx: Context) -> bytes:
    """Read and decompress the body; stops as soon as it grows over the limit, so that a bomb never unfolds."""
    limit = ctx.hub.settings.max_packet_bytes
    encoding = ctx.request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise UnknownEncoding
    if (ctx.request.content_length or 0) > limit:
        raise too_large(ctx, f"The body has {ctx.request.content_length} bytes")
    unpack = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in bodies.chunks(ctx.request):
            part = chunk if unpack is None else unpack.decompress(chunk, limit + 1 - size)
            size += len(part)
            if size > limit or (unpack is not None and unpack.unconsumed_tail):
                raise too_large(ctx, "The body is too long")
            parts.append(part)
    except zlib.error as error:
        raise BadCompression(why=str(error)) from error
    if unpack is not None and not unpack.eof:
        raise BadCompression(why="The stream is cut short.")
    return b"".join(parts)


def too_large(ctx: Context, what: str) -> PacketTooLarge:
    """Make the problem that names both limits."""
    settings = ctx.hub.settings
    return PacketTooLarge(what=what, samples=settings.max_samples_per_packet, size=settings.max_packet_bytes)
