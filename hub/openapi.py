"""Publishes the OpenAPI document of the routes."""

from collections.abc import Sequence
from functools import cache

import orjson
from aiohttp import web

from hub.kit import openapi, wire
from hub.kit.endpoint import Endpoint

PATH = wire.API_PREFIX + "/openapi.json"
TITLE = "Experiment Tracking Platform"
API_VERSION = "1.0"


def render(endpoints: Sequence[Endpoint]) -> bytes:
    """Write the document of the given routes as indented JSON."""
    document = openapi.document(endpoints, title=TITLE, version=API_VERSION)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def mount(app: web.Application, endpoints: Sequence[Endpoint]) -> None:
    """Serve the document to everybody; it is written when somebody first asks, so that the hub starts faster."""
    body = cache(lambda: render(endpoints))

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=body(), content_type="application/json")

    app.router.add_get(PATH, serve)
