"""Forwarding of the spool to the hub: in order, one frozen batch at a time, until each is settled."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog

from edge.backoff import Backoff
from edge.hub_client import HubClient, Receipt, Refusal, Unavailable
from edge.spool import Batch, Refused, Spool

log: Final = structlog.get_logger(__name__)


class Limits(NamedTuple):
    """How much a batch may hold, and how long samples may wait for company."""

    samples: int
    bytes: int
    linger_s: float


class Forwarder:
    """Empties the spool into the hub. `hub_problem` says what holds it up, None while nothing does."""

    def __init__(
        self, spool: Spool, hub: HubClient, limits: Limits, backoff: Backoff, now_us: Callable[[], int]
    ) -> None:
        self._spool = spool
        self._hub = hub
        self._limits = limits
        self._backoff = backoff
        self._now_us = now_us
        self.hub_problem: str | None = None
        self.forwarded = 0
        self.rejected = 0

    async def run(self) -> None:
        """Forward for ever; the hub's absence and a full disk are waited out."""
        loop = asyncio.get_running_loop()
        started = 0.0
        while True:
            await self._spool.filled()
            # The linger counts from the last batch, so that a lone message after a quiet time leaves at once.
            if self._spool.samples < self._limits.samples:
                await asyncio.sleep(max(0.0, started + self._limits.linger_s - loop.time()))
            started = loop.time()
            try:
                batch = await self._spool.next_batch(self._limits.samples, self._limits.bytes)
                if batch is not None:
                    await self._deliver(batch)
            except sqlite3.OperationalError as error:
                # Nothing is lost: the batch stays frozen and goes out again under the same id.
                wait_s = self._backoff.next_s()
                log.warning("spool not usable", error=str(error), wait_s=wait_s)
                await asyncio.sleep(wait_s)

    async def _deliver(self, batch: Batch) -> None:
        while True:
            match await self._hub.send_batch(batch.batch_id, batch.content):
                case Receipt() as receipt:
                    await self._settle(batch, receipt)
                    return
                case Refusal() as refusal:
                    await self._put_aside(batch, refusal)
                    return
                case Unavailable() as missing:
                    await self._wait(missing)

    async def _settle(self, batch: Batch, receipt: Receipt) -> None:
        # Deleted only on the receipt: a crash before this line sends again, never loses.
        await self._spool.settle(batch)
        self._reached()
        self.forwarded += batch.samples
        self.rejected += len(receipt.rejected)
        if receipt.rejected:
            codes = Counter(rejection.code for rejection in receipt.rejected)
            log.warning("samples rejected by the hub", batch_id=batch.batch_id, codes=dict(codes))

    async def _put_aside(self, batch: Batch, refusal: Refusal) -> None:
        self._reached()
        if batch.entries > 1 and not refusal.judged:
            # One poisonous message must not take its neighbours along: halve until it stands alone.
            log.warning("batch refused, halving it", batch_id=batch.batch_id, status=refusal.status)
            await self._spool.split(batch)
            return
        aside = Refused(self._now_us(), batch.batch_id, refusal.answer, batch.content, refusal.status)
        await self._spool.refuse(batch, aside)
        self.rejected += batch.samples
        log.error(
            "batch refused for good",
            batch_id=batch.batch_id,
            status=refusal.status,
            samples=batch.samples,
            answer=refusal.answer[:500],
        )

    async def _wait(self, missing: Unavailable) -> None:
        if self.hub_problem is None:
            log.warning("hub not available, keeping samples", reason=missing.reason)
        self.hub_problem = missing.reason
        await asyncio.sleep(self._backoff.next_s(missing.retry_after_s))

    def _reached(self) -> None:
        if self.hub_problem is not None:
            log.info("hub available again", waiting=self._spool.samples)
        self.hub_problem = None
        self._backoff.reset()
