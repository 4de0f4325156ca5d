"""What the edge agent asks of the hub over HTTP, and the hub's answers as values."""

import asyncio
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import aiohttp
import msgspec

from edge import dropped, unreadable
from edge.status import Status

_FINAL: Final = frozenset({400, 413, 422})
_COMPRESS_FROM_BYTES: Final = 1400  # below it fits one packet anyway
_MAX_RETRY_AFTER_S: Final = 300.0


class Rejection(msgspec.Struct):
    """A sample or series that the hub did not take, and why; its place and detail are for people."""

    code: str = ""


class Receipt(msgspec.Struct):
    """The hub's word that a batch is durable there, but for the rejected samples."""

    batch_id: str
    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = []


class Refusal(msgspec.Struct):
    """A final no; `judged`: the hub has looked at every sample by itself (422), so that parts fare no better."""

    status: int
    answer: str
    judged: bool = False


class Unavailable(msgspec.Struct):
    """No answer that settles anything; to be tried again, after `retry_after_s` when the hub says so."""

    reason: str
    retry_after_s: float | None = None


class FetchedConfig(msgspec.Struct):
    """The configuration document's bytes and ETag."""

    body: bytes
    etag: str | None


class HubClient:
    """A connection pool to the hub under the agent's token; an async context manager.

    read_token is asked again after a 401, so that a rotated token is picked up.
    """

    def __init__(self, base_url: str, read_token: Callable[[], str], timeout_s: float) -> None:
        self._api = f"{base_url}/api/v1"
        self._read_token = read_token
        self._token: str | None = None
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(5.0, timeout_s))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send_batch(self, batch_id: str, content: bytes) -> Receipt | Refusal | Unavailable:
        """Post a batch of telemetry."""
        headers = {"Content-Type": "application/json"}
        body = content
        if len(content) > _COMPRESS_FROM_BYTES:
            body = await asyncio.to_thread(gzip.compress, content, 1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        answer = await self._request("POST", "/telemetry", body, headers)
        if isinstance(answer, Unavailable):
            return answer
        status, retry_after_s, text, _ = answer
        if status == 202:
            return _receipt(batch_id, text)
        if status in _FINAL:
            return Refusal(status, text.decode(errors="replace"), judged=status == 422 and _has_rejections(text))
        return Unavailable(f"HTTP {status}", retry_after_s)

    async def fetch_config(self, etag: str | None) -> FetchedConfig | Unavailable | None:
        """Fetch the agent's configuration; None when it is still the one of this ETag."""
        answer = await self._request("GET", "/edge/config", None, {"If-None-Match": etag} if etag else {})
        if isinstance(answer, Unavailable):
            return answer
        status, retry_after_s, body, new_etag = answer
        if status == 304:
            return None
        if status == 200:
            return FetchedConfig(body, new_etag)
        return Unavailable(f"HTTP {status}", retry_after_s)

    async def send_heartbeat(self, sensor_id: UUID) -> Unavailable | None:
        """Pass a sensor's sign of life on; None when the hub has settled it, be it by refusing."""
        answer = await self._request("POST", f"/sensors/{sensor_id}/heartbeat", None, {})
        if isinstance(answer, Unavailable):
            return answer
        status, retry_after_s, _, _ = answer
        return Unavailable(f"HTTP {status}", retry_after_s) if status == 429 or status >= 500 else None

    async def send_dropped(self, report: dropped.Report) -> Unavailable | None:
        """Tell which samples a full spool dropped; None once the hub has counted them, by this or an earlier try."""
        return await self._tell("/edge/dropped", report)

    async def send_unreadable(self, report: unreadable.Report) -> Unavailable | None:
        """Tell which messages could not be read; None once the hub has noted them, by this or an earlier try."""
        return await self._tell("/edge/unreadable", report)

    async def send_status(self, status: Status) -> Unavailable | None:
        """Tell how the agent is doing; None once the hub has noted it."""
        return await self._tell("/edge/status", status)

    async def _tell(self, path: str, what: msgspec.Struct) -> Unavailable | None:
        headers = {"Content-Type": "application/json"}
        answer = await self._request("POST", path, msgspec.json.encode(what), headers)
        if isinstance(answer, Unavailable):
            return answer
        status, retry_after_s, _, _ = answer
        return None if status == 204 else Unavailable(f"HTTP {status}", retry_after_s)

    async def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, float | None, bytes, str | None] | Unavailable:
        if self._session is None:
            raise RuntimeError("HubClient is used outside its context")
        try:
            if self._token is None:
                self._token = self._read_token()
            async with self._session.request(
                method,
                self._api + path,
                data=body,
                headers={"Authorization": f"Bearer {self._token}", **headers},
                allow_redirects=False,
            ) as response:
                if response.status == 401:
                    self._token = None
                retry_after_s = _retry_after_s(response.headers.get("Retry-After"))
                return response.status, retry_after_s, await response.read(), response.headers.get("ETag")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unavailable(f"{type(error).__name__}: {error}".rstrip(": "))


def _receipt(batch_id: str, text: bytes) -> Receipt | Unavailable:
    try:
        receipt = msgspec.json.decode(text, type=Receipt)
    except msgspec.DecodeError as error:
        return Unavailable(f"unreadable receipt: {error}")
    # A proxy's or another program's 202 is no receipt.
    return receipt if receipt.batch_id == batch_id else Unavailable("receipt for another batch")


def _has_rejections(text: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(text, type=Receipt).rejected)
    except msgspec.DecodeError:
        return False


def _retry_after_s(value: str | None) -> float | None:
    """Read seconds or an HTTP date; at most five minutes are believed."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)
