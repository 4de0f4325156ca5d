"""Users, sensors and edge agents as tests see them: somebody who calls the API with a token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson
from aiohttp.test_utils import TestClient

PREFIX = "/api/v1"
# Addresses that do not stand below it.
BESIDE = ("/api/", "/telemetry", "/health", "/readyz", "/write", "/query", "/ping")


@dataclass(frozen=True)
class Answer:
    """What the hub answered; `body` is the parsed JSON, or the bytes where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The stable code of a problem, '' for a success."""
        return self.body["type"].rpartition("/")[2] if self.status >= 400 else ""

    @property
    def ok(self) -> Any:
        """The body of a success; anything else fails the test with the problem's text."""
        assert self.status < 400, f"{self.status}: {self.body}"
        return self.body


@dataclass(frozen=True)
class Caller:
    """Calls the hub; paths stand below /api/v1 unless they are among those BESIDE it."""

    client: TestClient[Any, Any]
    token: str | None = None
    id: str = ""
    name: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    async def works(self) -> bool:
        """Tell whether the hub still answers, and knows who this is."""
        return (await self.get("/auth/me")).status == 200

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; `headers` take _ for -."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        at_the_root = ("/api/", "/telemetry", "/healthz", "/readyz", "/metrics", "/write", "/query", "/ping", "/health")
        url = path if path.startswith(at_the_root) else PREFIX + path
        sent_data = None if data is None else BytesIO(data)  # bytes of more than 1 MiB make aiohttp warn
        async with self.client.request(method, url, data=sent_data, headers=sent) as response:
            raw = await response.read()
            parsed = orjson.loads(raw) if raw and "json" in response.content_type else raw
            return Answer(response.status, parsed, response.headers)

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST."""
        return await self.call("POST", path, {} if body is None else body, **headers)

    async def put(self, path: str, body: Any, **headers: str) -> Answer:
        """PUT."""
        return await self.call("PUT", path, body, **headers)

    async def patch(self, path: str, body: Any, **headers: str) -> Answer:
        """PATCH."""
        return await self.call("PATCH", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> Answer:
        """DELETE."""
        return await self.call("DELETE", path, **headers)
