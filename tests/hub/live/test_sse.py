"""The live channel as server-sent events, read by a real HTTP client."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson
import pytest
from aiohttp import ClientResponse, ClientTimeout, web
from aiohttp.test_utils import TestClient

from hub.events.models import EventKind
from hub.live import sse
from hub.live.messages import SAID
from hub.live.routes import STREAMS
from tests.hub.callers import PREFIX, Caller
from tests.hub.conftest import Device, Make
from tests.hub.telemetry.conftest import Wait, send


class Heard(NamedTuple):
    """An event as it stands in the stream; `id` is the last one that came."""

    name: str
    id: str
    data: Any


class Stream:
    """Parses an event stream as the standard tells."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.id = ""
        self.comments = 0

    async def next(self, timeout_s: float = 5) -> Heard:
        """Return the next event; raises EOFError at the end."""
        name, data = "message", list[str]()
        async with asyncio.timeout(timeout_s):
            while line := await self.response.content.readline():
                field, _, value = line.decode().rstrip("\n").partition(": ")
                match field:
                    case "" if data:
                        SAID.validate_json("\n".join(data))
                        return Heard(name, self.id, orjson.loads("\n".join(data)))
                    case "event":
                        name = value
                    case "data":
                        data.append(value)
                    case "id":
                        self.id = value
                    case _:
                        self.comments += line.startswith(b":")
        raise EOFError

    async def until(self, name: str, timeout_s: float = 5) -> Heard:
        """Return the next event of a name."""
        async with asyncio.timeout(timeout_s):
            while (heard := await self.next(timeout_s)).name != name:
                pass
        return heard


@asynccontextmanager
async def listening(caller: Caller, query: str, **headers: str) -> AsyncGenerator[Stream]:
    """Open an event stream."""
    sent = {"Authorization": f"Bearer {caller.token}"} | {name.replace("_", "-"): v for name, v in headers.items()}
    path = f"{PREFIX}/live/events?{query}"
    async with caller.client.get(path, headers=sent, timeout=ClientTimeout(total=30)) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Stream(response)


class TestWho:
    async def test_the_usual_refusals(
        self, anonymous: Caller, stranger: Caller, viewer: Caller, sensor: Make, project: str
    ) -> None:
        one = await sensor()
        path = f"/live/events?sensor_id={one['id']}"
        assert (await anonymous.get(path)).status == 401
        assert (await stranger.get(path)).code == "not-found"
        assert (await stranger.get(f"/live/events?project_id={project}")).code == "not-found"
        refused = await viewer.get(f"{path}&values=raw")
        assert (refused.status, refused.code) == (403, "raw-not-allowed")
        assert (await viewer.get("/live/events?sensor_id=1")).status == 422
        assert (await viewer.get(path, Last_Event_ID="x")).code == "invalid-payload"

    async def test_a_viewer_gets_no_raw_until_it_is_open(
        self, viewer: Caller, owner: Caller, project: str, sensor: Make, device: Device
    ) -> None:
        one = await sensor()
        async with listening(viewer, f"sensor_id={one['id']}") as stream:
            await stream.until("subscribed")
            for policy, is_open in (("open", True), ("physical-only", False)):
                await owner.patch(f"/projects/{project}/settings", {"raw_policy": policy})
                assert (await stream.until("access", 1.5)).data["raw"] == {one["id"]: is_open}
                await send(device(one), {"samples": [{"t": time.time(), "v": 1.0}]})
                assert ("raw" in (await stream.until("samples")).data["series"][0]) is is_open

    async def test_who_is_no_member_any_more_sees_nothing_within_a_second(
        self, viewer: Caller, owner: Caller, project: str, sensor: Make
    ) -> None:
        one = await sensor()
        async with listening(viewer, f"sensor_id={one['id']}&project_id={project}") as stream:
            await stream.until("states")
            await owner.delete(f"/projects/{project}/members/{viewer.id}")
            change = (await stream.until("access", 1.0)).data
            assert (change["gone"], change["projects"]) == ([one["id"]], [project])

    async def test_it_ends_with_the_session(self, viewer: Caller, sensor: Make) -> None:
        one = await sensor()
        async with listening(viewer, f"sensor_id={one['id']}") as stream:
            await stream.until("subscribed")
            await viewer.post("/auth/logout")
            assert (await stream.until("problem", 1.5)).data["type"].endswith("/unauthenticated")
            with pytest.raises(EOFError):
                await stream.next()


class TestWhat:
    async def test_samples_and_events_of_runs_and_projects(
        self, owner: Caller, project: str, sensor: Make, device: Device, run: Make
    ) -> None:
        bound, other = await sensor(), await sensor()
        made = await run(bound)
        query = f"run_id={made['id']}&project_id={project}"
        async with listening(owner, query) as stream:
            assert (await stream.next()).data["sensors"] == [bound["id"]]
            assert {one["sensor_id"] for one in (await stream.next()).data["sensors"]} == {bound["id"], other["id"]}
            now = round(time.time(), 3)
            for each in (other, bound):
                await send(device(each), {"samples": [{"t": now, "v": 1.25}, {"t": now, "v": None}]})
            heard = await stream.until("samples")
            assert heard.id == heard.data["cursor"] != ""
            (series,) = heard.data["series"]
            assert (series["sensor_id"], series["raw"], series["physical"]) == (bound["id"], [1.25], [3.5])
            async with asyncio.timeout(5):
                while (event := await stream.until("event")).data["kind"] != EventKind.REJECTED:
                    pass
            assert event.id == heard.id, "events move nothing"

    async def test_last_event_id_resumes(self, owner: Caller, sensor: Make, device: Device, stored: Wait) -> None:
        one = await sensor()
        query = f"sensor_id={one['id']}"
        now = round(time.time(), 3)
        async with listening(owner, query) as stream:
            await stream.until("subscribed")
            await send(device(one), {"samples": [{"t": now, "v": 1.0}]})
            last = (await stream.until("samples")).id
        await send(device(one), {"samples": [{"t": now + 1, "v": 2.0}]})
        await stored(one)
        async with listening(owner, query, Last_Event_ID=last) as stream:
            assert (await stream.until("samples")).data["series"][0]["raw"] == [2.0]
            await send(device(one), {"samples": [{"t": now + 2, "v": 3.0}]})
            assert (await stream.until("samples")).data["series"][0]["raw"] == [3.0]
        async with listening(owner, f"{query}&backlog_s=100") as stream:
            assert (await stream.until("samples")).data["series"][0]["raw"][:2] == [1.0, 2.0]

    async def test_comments_keep_it_alive_and_say_where_to_resume(
        self, owner: Caller, sensor: Make, device: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sse, "ALIVE_S", 0.05)
        one, other = await sensor(), await sensor()
        async with listening(owner, f"sensor_id={one['id']}") as stream:
            before = (await stream.until("subscribed")).id
            await send(device(other), {"samples": [{"t": time.time(), "v": 1.0}]})
            with pytest.raises(TimeoutError):
                await stream.next(0.5)
            assert stream.comments > 3
            assert stream.id not in {"", before}

    async def test_it_ends_when_the_hub_stops(
        self, client: TestClient[Any, Any], owner: Caller, sensor: Make, app: web.Application
    ) -> None:
        one = await sensor()
        async with listening(owner, f"sensor_id={one['id']}") as stream:
            await stream.until("subscribed")
            assert len(app[STREAMS]) == 1
            closing = asyncio.create_task(client.server.close())
            with pytest.raises(EOFError):
                await stream.next(2)
        await closing
