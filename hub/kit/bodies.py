"""Reading bodies: as large as is allowed, as slow as a bad line is, and no slower."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError
from aiohttp.web_protocol import RequestPayloadError

from hub.kit.problems import BodyBroken, BodyTooLarge, BodyTooSlow

GRACE_S: Final = 15.0
LEAST_BYTES_PER_S: Final = 1000


async def chunks(request: web.Request) -> AsyncGenerator[bytes]:
    """Yield a body as it comes; raises BodyTooSlow once it is fifteen seconds behind 1000 bytes a second."""
    content = request.content
    due_s = asyncio.get_running_loop().time() + GRACE_S
    try:
        while not content.at_eof():
            if content.is_eof():  # all of it is here
                chunk = await content.readany()
            else:
                async with asyncio.timeout_at(due_s):
                    chunk = await content.readany()
            due_s += len(chunk) / LEAST_BYTES_PER_S
            yield chunk
    except TimeoutError as error:
        raise BodyTooSlow(least=LEAST_BYTES_PER_S) from error
    except (RequestPayloadError, PayloadEncodingError) as error:
        raise BodyBroken from error


async def read(request: web.Request, limit_bytes: int) -> bytes:
    """Read a whole body; raises BodyTooLarge as soon as it is known to be."""
    if (request.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    body = bytearray()
    async for chunk in chunks(request):
        body += chunk
        if len(body) > limit_bytes:
            raise BodyTooLarge(limit_bytes=limit_bytes)
    return bytes(body)
