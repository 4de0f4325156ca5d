"""Events: shared by replicas, never in anybody's way, and rarely enough for people."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from dev.valkey import Valkey
from hub.events import service
from hub.events.models import Event, EventKind, Told
from hub.events.service import BURST, PROMPT_BURST, Events, decode, encode, listen
from hub.kit.clock import SystemClock

PROJECT, SENSOR, OTHER = (uuid.uuid4() for _ in range(3))


@asynccontextmanager
async def publishing(url: str) -> AsyncGenerator[Events]:
    """Run a process's events."""
    async with Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0) as redis:
        events = Events(redis, SystemClock())
        running = asyncio.create_task(events.run())
        yield events
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def take(heard: AsyncGenerator[Told | None], count: int) -> list[Told]:
    """Return the next events."""
    found: list[Told] = []
    async with asyncio.timeout(5):
        async for told in heard:
            found += [told] if told is not None else []
            if len(found) == count:
                break
    return found


async def test_every_replica_hears_every_event(valkey_url: str) -> None:
    ears = [listen(valkey_url) for _ in range(2)]
    for ear in ears:
        assert await anext(ear) is None
    async with publishing(valkey_url) as one, publishing(valkey_url) as two:
        one.publish(PROJECT, Event(EventKind.CAPTURE, SENSOR, {"change": "started"}))
        two.publish(PROJECT, Event(EventKind.BUFFERING, None, {"at": 1}))
        for ear in ears:
            async with aclosing(ear):
                heard = {told.event.kind: told for told in await take(ear, 2)}
            assert heard[EventKind.CAPTURE].event == Event(EventKind.CAPTURE, SENSOR, {"change": "started"})
            assert heard[EventKind.BUFFERING].event.subject_id is None
            assert abs(heard[EventKind.CAPTURE].at - time.time()) < 5


async def test_a_faulty_sensor_is_withheld_and_counted(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PACE_S", 0.2)
    ear = listen(valkey_url)
    await anext(ear)
    async with publishing(valkey_url) as events, aclosing(ear):
        for _ in range(10):
            events.publish(PROJECT, Event(EventKind.CONVERSION_ERROR, SENSOR))
        events.publish(PROJECT, Event(EventKind.CONVERSION_ERROR, OTHER))
        heard = await take(ear, int(BURST) + 1)
        assert [told.event.subject_id for told in heard] == [SENSOR] * int(BURST) + [OTHER]
        await asyncio.sleep(0.25)  # until one more may be told
        events.publish(PROJECT, Event(EventKind.CONVERSION_ERROR, SENSOR))
        (told,) = await take(ear, 1)
        assert told.withheld == 10 - BURST


async def test_what_people_wait_for_comes_as_it_happens(valkey_url: str) -> None:
    ear = listen(valkey_url)
    await anext(ear)
    async with publishing(valkey_url) as events, aclosing(ear):
        for percent in range(int(PROMPT_BURST)):
            events.publish(PROJECT, Event(EventKind.BACKFILL_PROGRESS, SENSOR, {"percent": percent}))
        assert len(await take(ear, int(PROMPT_BURST))) == PROMPT_BURST


async def test_valkey_away_costs_events_and_nothing_else(own_valkey: Valkey) -> None:
    async with publishing(own_valkey.url) as events:
        await own_valkey.stop()
        events.publish(PROJECT, Event(EventKind.CAPTURE, SENSOR))
        await asyncio.sleep(0)
        await own_valkey.start()
        ear = listen(own_valkey.url)
        async with aclosing(ear):
            await anext(ear)
            async with asyncio.timeout(10):
                while True:  # the connection is made anew by whichever event comes next
                    events.publish(PROJECT, Event(EventKind.CAPTURE, OTHER))
                    if (told := await anext(ear)) is not None:
                        break
            assert told.event.subject_id == OTHER


async def test_the_queue_is_bounded(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_WAITING", 3)
    async with Redis.from_url(valkey_url) as redis:
        events = Events(redis, SystemClock())
        for _ in range(5):
            events.publish(PROJECT, Event(EventKind.CAPTURE, uuid.uuid4()))
        assert events.dropped == 2


async def test_other_messages_on_the_channel_do_no_harm(valkey_url: str) -> None:
    ear = listen(valkey_url)
    await anext(ear)
    told = Told(PROJECT, 1.5, Event(EventKind.CAPTURE, SENSOR), 2)
    async with Redis.from_url(valkey_url) as redis, aclosing(ear):
        for message in (b"{", b"{}", b'{"kind": 1}', b"[]", encode(told)):
            await redis.publish(service.CHANNEL, message)
        assert await take(ear, 1) == [told]


@pytest.mark.parametrize("data", [b"", b"1", b'{"project_id": "x", "subject_id": null}'])
def test_what_is_no_event(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(data)


def test_details_of_any_kind_can_be_told() -> None:
    odd: dict[str, Any] = {"id": SENSOR, "what": object}
    assert decode(encode(Told(PROJECT, 1.0, Event(EventKind.CAPTURE, SENSOR, odd)))).event.details["id"] == str(SENSOR)
