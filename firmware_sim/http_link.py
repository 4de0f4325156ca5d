"""A device's HTTP connection: one packet a POST, in order, sent again until the hub has it on disk."""

import asyncio
import random
from typing import Never

import aiohttp

from firmware_sim.device import Device

# A sensor's token may post every 10 s (0.1/s): devices on HTTP collect samples that long.
PACKET_S = 10.0
_BACKOFF_MAX_S = 30.0
_FINAL = frozenset({400, 413, 422})


class HttpLink:
    """Deliver one device's packets to the hub's `POST /telemetry`, for as long as `run` runs.

    `problem` says why nothing gets through now, None while it works.
    """

    def __init__(self, device: Device, hub_url: str, session: aiohttp.ClientSession) -> None:
        self.device = device
        self.problem: str | None = None
        self.connected = asyncio.Event()
        self.connected.set()  # there is nothing to keep open: each packet is its own request
        self._url = f"{hub_url}/telemetry"
        self._session = session

    async def run(self) -> Never:
        """Post each packet until it is acknowledged or refused for good, until cancelled."""
        while True:
            ticket, packet = await self.device.outbox.take()
            self.device.note_sent(packet)
            attempt = 0
            while (status := await self._post(packet.body, attempt)) is None:
                attempt += 1
            if status in _FINAL:
                await self.device.note_refused(ticket, packet)
            else:
                await self.device.note_acknowledged(ticket, packet)

    async def _post(self, body: bytes, attempt: int) -> int | None:
        headers = {"Authorization": f"Bearer {self.device.identity.token}", "Content-Type": "application/json"}
        wait_s = min(0.5 * 2**attempt, _BACKOFF_MAX_S)
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                if answer.status == 202:
                    self.problem = None
                    return answer.status
                detail = (await answer.text())[:300]
                self.problem = f"{self._url} answered {answer.status} for {self.device.identity.name}: {detail}"
                if answer.status in _FINAL:
                    return answer.status
                wait_s = max(wait_s, _seconds(answer.headers.get("Retry-After")))
        except (aiohttp.ClientError, TimeoutError) as lost:
            self.problem = f"{self._url} cannot be reached ({lost}): is the system running, and is --hub right?"
        await asyncio.sleep(wait_s * random.uniform(1.0, 1.5))  # noqa: S311 - jitter, no secret
        return None


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdigit() else 0.0
