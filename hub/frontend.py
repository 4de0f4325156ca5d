"""Serves the built dashboard: hashed assets for good, the page for every other address."""

from pathlib import Path

from aiohttp import web

from hub.kit.problems import RouteNotFound

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PAGES = "/{path:(?!(?:api|telemetry|healthz|readyz|metrics)(?:/|$)).*}"


def mount(app: web.Application, folder: Path) -> None:
    """Serve `folder` at / when it holds a built dashboard; addresses of pages all get index.html."""
    # Listed once: only what was built is ever served, whatever the address says.
    files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}

    async def serve(request: web.Request) -> web.StreamResponse:
        file = files.get(request.match_info["path"])
        if file is not None:
            age = "public, max-age=31536000, immutable" if "/assets/" in request.path else "no-cache"
            return web.FileResponse(file, headers={**HEADERS, "Cache-Control": age})
        index = files.get("index.html")
        if index is None:
            raise RouteNotFound(path=request.path)
        return web.FileResponse(index, headers={**HEADERS, "Cache-Control": "no-cache"})

    app.router.add_get(PAGES, serve)
