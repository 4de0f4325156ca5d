"""Serves the built dashboard: hashed assets for good, the page for every other address."""

import mimetypes
import secrets
from pathlib import Path
from typing import Final

from aiohttp import web

from hub.kit import headers
from hub.kit.arrival import ARRIVAL
from hub.kit.problems import RangeNotThere, RouteNotFound

PAGES: Final = "/{path:(?!(?:api|telemetry|healthz|readyz|metrics)(?:/|$)).*}"
ASSETS: Final = "assets/"
# Stands in the built page where each answer has a nonce of its own.
NONCE: Final = "__CSP_NONCE__"


def mount(app: web.Application, folder: Path) -> None:
    """Serve `folder` at / when it holds a built dashboard; addresses of pages all get index.html."""
    # Listed once: only what was built is ever served, whatever the address says.
    files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    index = files.pop("index.html", None)
    page = None if index is None else index.read_text(encoding="utf-8")

    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = files.get(path)
        request[ARRIVAL].sampled = file is not None
        if file is not None:
            _check_range(request, file.stat().st_size)
            age = "public, max-age=31536000, immutable" if path.startswith(ASSETS) else "no-cache"
            return web.FileResponse(file, headers={**headers.of_page(), "Cache-Control": age} | _type_of(file))
        if page is None or path.startswith(ASSETS):
            raise RouteNotFound
        # Never kept: a page and its policy share the nonce.
        nonce = secrets.token_urlsafe(18)
        return web.Response(text=page.replace(NONCE, nonce), content_type="text/html", headers=headers.of_page(nonce))

    app.router.add_get(PAGES, serve)


def _check_range(request: web.Request, size: int) -> None:
    if "Range" not in request.headers:
        return
    try:
        start = request.http_range.start
    except ValueError as error:
        raise RangeNotThere(size) from error
    if start is not None and start >= size:
        raise RangeNotThere(size)


def _type_of(file: Path) -> dict[str, str]:
    """Say which letters a text is written in; other types are found by their endings."""
    kind, _ = mimetypes.guess_type(file.name)
    is_text = kind is not None and (kind.startswith("text/") or kind in {"image/svg+xml", "application/json"})
    return {"Content-Type": f"{kind}; charset=utf-8"} if is_text else {}
