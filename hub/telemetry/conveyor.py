"""Batches that follow each other on one connection: several at once on their way to the disk, acknowledged in order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from contract.samples import Packet
from hub.journal.service import Journal
from hub.kit.problems import Problem
from hub.telemetry import troubles
from hub.telemetry.ingest import Receipt
from hub.telemetry.problems import TooManySamples
from hub.telemetry.receiving import Receiver

MOST_BATCHES: Final = 32
MOST_BYTES: Final = 16 << 20

Say = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class _Batch(NamedTuple):
    number: int
    size: int
    outcome: "asyncio.Future[Receipt | Problem]"


class Conveyor:
    """Carries the batches of one connection, whose tasks live in `group`; `say` tells the sender what became of them.

    Of each batch `ack` is said, or `problem`; of a pause that a limit asks for `limited`.
    """

    def __init__(
        self, receiver: Receiver, journal: Journal, group: asyncio.TaskGroup, request_id: str, say: Say
    ) -> None:
        """Begin with nothing on its way."""
        self.receiver = receiver
        self._journal = journal
        self._group = group
        self._request_id = request_id
        self._say = say
        self._on_its_way: asyncio.Queue[_Batch] = asyncio.Queue(MOST_BATCHES)
        self._bytes = 0
        self._fewer = asyncio.Event()

    async def offer(self, number: int, body: bytes, *, packed: bool = False) -> None:
        """Take a batch; returns when the next one may be read, which a full conveyor or a limit puts off."""
        outcome: asyncio.Future[Receipt | Problem]
        try:
            with troubles.noted(self._journal, self.receiver.device):
                packet = self.receiver.read(body, packed=packed)
                await self.receiver.cover(packet)
            await self._wait_for_allowance(number, packet)
        except Problem as problem:
            outcome = asyncio.get_running_loop().create_future()
            outcome.set_result(problem)
        else:
            outcome = self._group.create_task(self._store(packet))
        self._bytes += len(body)
        await self._on_its_way.put(_Batch(number, len(body), outcome))
        while self._bytes > MOST_BYTES:
            self._fewer.clear()
            await self._fewer.wait()

    async def run(self) -> None:
        """Acknowledge in order until cancelled."""
        while True:
            batch = await self._on_its_way.get()
            outcome = await batch.outcome
            if isinstance(outcome, Receipt):
                await self._say("ack", {"n": batch.number, **outcome.answer})
            else:
                await self._say("problem", {"n": batch.number, **self.problem(outcome)})
            self._bytes -= batch.size
            self._fewer.set()
            self._on_its_way.task_done()

    async def finish(self) -> None:
        """Wait until everything that was offered is acknowledged."""
        await self._on_its_way.join()

    def problem(self, problem: Problem) -> dict[str, Any]:
        """Describe a problem as a message does, with the time to wait where there is one."""
        document = problem.document(self._request_id).model_dump(exclude_none=True)
        wait = problem.headers.get("Retry-After")
        return document if wait is None else document | {"retry_after_s": int(wait)}

    async def _store(self, packet: Packet) -> Receipt | Problem:
        try:
            return await self.receiver.store(packet)
        except Problem as problem:
            return problem

    async def _wait_for_allowance(self, number: int, packet: Packet) -> None:
        refusal = self._count(packet)
        if refusal is not None:
            detail = refusal.pause(number)
            troubles.note_limit(self._journal, refusal, detail)
            await self._say("limited", {"n": number, "retry_after_s": round(refusal.wait_s, 3), "detail": detail})
        while refusal is not None:
            await asyncio.sleep(refusal.wait_s)
            refusal = self._count(packet)

    def _count(self, packet: Packet) -> TooManySamples | None:
        try:
            self.receiver.count(packet)
        except TooManySamples as refusal:
            return refusal
        return None
