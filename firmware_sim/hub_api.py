"""The hub's public API as the demo uses it: log in, find or register what is missing, record, export."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
import msgspec

from firmware_sim.device import Identity
from firmware_sim.hub_shapes import Agent, Capture, Experiment, Ledger, NewSensor, Profile, Project, Run, Sensor
from firmware_sim.token_file import KnownToken, TokenFile, new_token

T = TypeVar("T")


class HubUnreachable(Exception):
    """The hub does not answer."""


class HubRefused(Exception):
    """The hub answered with a problem; `code` is the problem's stable name, `status` the HTTP status."""

    def __init__(self, status: int, code: str, text: str) -> None:
        self.status = status
        self.code = code
        super().__init__(text)


class TokenNotKept(Exception):
    """A sensor is registered, but its token is not on this machine."""


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next_cursor: str | None = None


class _Tokens(msgspec.Struct):
    access_token: str


class _Problem(msgspec.Struct):
    type: str = ""
    title: str = ""
    detail: str = ""
    errors: list[dict[str, Any]] | None = None


class Hub:
    """A session at the hub's API; logs in again by itself when its access token has run out."""

    def __init__(self, url: str, email: str, password: str, session: aiohttp.ClientSession) -> None:
        self.url = url.rstrip("/")
        self._credentials = {"email": email, "password": password}
        self._session = session
        self._access_token: str | None = None

    async def log_in(self) -> None:
        """Begin a session; raises HubRefused when e-mail or password is wrong."""
        self._access_token = None
        body = await self.ask("POST", "/auth/login", self._credentials)
        self._access_token = msgspec.json.decode(body, type=_Tokens).access_token

    async def project(self, name: str) -> Project:
        """Find the project of this name, or create it."""
        for project in await self.items("/projects", Project):
            if project.name == name:
                return project
        return await self.post("/projects", {"name": name}, Project)

    async def sensors(self, project_id: UUID) -> list[Sensor]:
        """List a project's sensors."""
        return await self.items(f"/projects/{project_id}/sensors", Sensor)

    async def register(
        self,
        project_id: UUID,
        wanted: Sequence[NewSensor],
        tokens: TokenFile,
        *,
        token_expires_at: datetime | None = None,
    ) -> list[Identity]:
        """Find each sensor by its name, or register it with a token made and written down here beforehand.

        Raises TokenNotKept when a sensor is there that somebody else registered.
        """
        there = {sensor.name: sensor.id for sensor in await self.sensors(project_id)}
        identities: list[Identity] = []
        for new in wanted:
            known = tokens.known(project_id).get(new.name)
            sensor_id = there.get(new.name)
            if sensor_id is None:
                known = KnownToken(new_token())
                # Written before it is used: a crash after the hub's answer leaves no sensor whose token nobody has.
                tokens.remember(project_id, new.name, known)
                sensor_id = await self._register(project_id, new, known.token, token_expires_at)
            elif known is None or known.sensor_id not in {None, sensor_id}:
                raise TokenNotKept(
                    f"the sensor {new.name!r} is registered, but {tokens.path} has no token of it:"
                    " use another --prefix or --project, or delete that sensor in the hub"
                )
            if known.sensor_id is None:
                tokens.remember(project_id, new.name, KnownToken(known.token, sensor_id))
            identities.append(Identity(sensor_id, new.name, known.token))
        return identities

    async def set_token_end(self, sensor_id: UUID, expires_at: datetime) -> None:
        """Let a sensor's token end then."""
        await self.ask("PATCH", f"/sensors/{sensor_id}", {"token_expires_at": expires_at})

    async def publish_profile(self, sensor_id: UUID, payload: Mapping[str, Any]) -> Profile:
        """Draft the next version of a sensor's profile and publish it for what is measured from now on."""
        draft = await self.post(f"/sensors/{sensor_id}/profiles", payload, Profile)
        try:
            return await self.post(f"/profiles/{draft.id}/publish", {"mode": "prospective"}, Profile)
        except HubRefused:
            await self.ask("DELETE", f"/profiles/{draft.id}")  # nobody would look for it
            raise

    async def profile(self, profile_id: UUID) -> Profile:
        """Read a version."""
        return msgspec.json.decode(await self.ask("GET", f"/profiles/{profile_id}"), type=Profile)

    async def experiment(self, project_id: UUID, name: str, description: str = "") -> Experiment:
        """Find the experiment of this name, or create it."""
        path = f"/projects/{project_id}/experiments"
        for experiment in await self.items(path, Experiment):
            if experiment.name == name:
                return experiment
        return await self.post(path, {"name": name, "description": description}, Experiment)

    async def runs(self, experiment_id: UUID) -> list[Run]:
        """List an experiment's runs."""
        return await self.items(f"/experiments/{experiment_id}/runs", Run)

    async def new_run(self, experiment_id: UUID, **fields: object) -> Run:
        """Create a run, a draft."""
        return await self.post(f"/experiments/{experiment_id}/runs", {"params": {}} | fields, Run)

    async def begin_run(self, run_id: UUID, sensors: Sequence[UUID]) -> None:
        """Bind the sensors to a run in mode record, and start it."""
        bound = {"sensors": [{"sensor_id": str(sensor_id), "mode": "record"} for sensor_id in sensors]}
        await self.ask("PUT", f"/runs/{run_id}/sensors", bound)
        await self.ask("POST", f"/runs/{run_id}/start", {})

    async def finish_run(self, run_id: UUID, status: str = "succeeded") -> None:
        """End a run."""
        await self.ask("POST", f"/runs/{run_id}/finish", {"status": status})

    async def start_capture(self, run_id: UUID, **fields: object) -> Capture:
        """Press Start."""
        return await self.post(f"/runs/{run_id}/captures", dict(fields), Capture)

    async def stop_capture(self, capture_id: UUID) -> Capture:
        """Press Stop."""
        return await self.post(f"/captures/{capture_id}/stop", {}, Capture)

    async def captures(self, run_id: UUID) -> list[Capture]:
        """List a run's captures."""
        return await self.items(f"/runs/{run_id}/captures", Capture)

    async def capture_ledger(self, capture_id: UUID) -> Ledger:
        """Read what became of a capture's samples."""
        return msgspec.json.decode(await self.ask("GET", f"/captures/{capture_id}/ledger"), type=Ledger)

    async def sensor_ledger(self, sensor_id: UUID) -> Ledger:
        """Read what became of a sensor's samples."""
        return msgspec.json.decode(await self.ask("GET", f"/sensors/{sensor_id}/ledger"), type=Ledger)

    async def export_csv(self, capture_id: UUID, to: Path) -> int:
        """Download a capture as CSV into a file, piece by piece; returns its bytes."""
        written = 0
        async with self._request("GET", f"/captures/{capture_id}/export?format=csv", None) as answer:
            with to.open("wb") as out:
                async for piece in answer.content.iter_chunked(1 << 16):
                    written += out.write(piece)
        return written

    async def agents(self, project_id: UUID) -> list[Agent]:
        """List a project's edge agents."""
        return await self.items(f"/projects/{project_id}/edge-agents", Agent)

    async def post(self, path: str, body: object, answer: type[T]) -> T:
        """POST and read the answer."""
        return msgspec.json.decode(await self.ask("POST", path, body), type=answer)

    async def items(self, path: str, item: type[T]) -> list[T]:
        """GET a whole list, page by page."""
        items: list[T] = []
        cursor: str | None = None
        while True:
            page = msgspec.json.decode(
                await self.ask("GET", path, params={"cursor": cursor} if cursor else {}), type=_Page
            )
            items += [msgspec.json.decode(raw, type=item) for raw in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return items

    async def ask(self, method: str, path: str, body: object = None, params: Mapping[str, str] | None = None) -> bytes:
        """Send one request and return the answer's body; raises HubRefused and HubUnreachable."""
        async with self._request(method, path, body, params) as answer:
            return await answer.read()

    async def _register(self, project_id: UUID, new: NewSensor, token: str, expires_at: datetime | None) -> UUID:
        body = msgspec.structs.replace(new, token=token, token_expires_at=expires_at)
        return (await self.post(f"/projects/{project_id}/sensors", body, Sensor)).id

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: object, params: Mapping[str, str] | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        if self._access_token is None and path != "/auth/login":
            await self.log_in()
        data = None if body is None else msgspec.json.encode(body)
        for last in (False, True):
            headers = {} if self._access_token is None else {"Authorization": f"Bearer {self._access_token}"}
            if data is not None:
                headers["Content-Type"] = "application/json"
            try:
                async with self._session.request(
                    method, f"{self.url}/api/v1{path}", data=data, headers=headers, params=params
                ) as answer:
                    if answer.status == 401 and not last and path != "/auth/login":
                        await self.log_in()
                        continue
                    if answer.status >= 400:
                        raise _refused(answer, await answer.read())
                    yield answer
                    return
            except (aiohttp.ClientError, TimeoutError) as lost:
                raise HubUnreachable(
                    f"the hub at {self.url} does not answer ({lost}): is the system running, and is --hub right?"
                ) from lost


def _refused(answer: aiohttp.ClientResponse, body: bytes) -> HubRefused:
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem(title=body[:200].decode(errors="replace"))
    faults = "".join(f"\n  {'.'.join(map(str, e.get('loc', [])))}: {e.get('msg')}" for e in problem.errors or [])
    request_id = answer.headers.get("X-Request-ID", "none")
    text = (
        f"{problem.title}. {problem.detail} ({answer.method} {answer.url.path} → {answer.status}, request {request_id})"
    )
    return HubRefused(answer.status, problem.type.rpartition("/")[2], text + faults)


@asynccontextmanager
async def connected(url: str, email: str, password: str) -> AsyncGenerator[Hub]:
    """Log in and give the session; raises HubUnreachable and HubRefused."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        hub = Hub(url, email, password, session)
        await hub.log_in()
        yield hub
