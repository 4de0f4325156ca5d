"""A project with everything in it, as the access matrix needs it, and how more is made."""

import uuid
from dataclasses import dataclass
from typing import Any

from hub.kit.context import Hub
from hub.kit.db import Tx
from hub.sealing import job
from tests.hub.auth.conftest import code_of
from tests.hub.callers import Caller
from tests.hub.conftest import Make

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class World:
    """A project with a sensor and an edge agent, its members, and what makes more of everything."""

    hub: Hub
    db: Tx
    project: str
    owner: Caller
    editor: Caller
    viewer: Caller
    anonymous: Caller
    sensor: dict[str, Any]
    agent: dict[str, Any]
    new_sensor: Make
    new_agent: Make
    new_experiment: Make
    new_run: Make
    password_hash: str
    _spectrum: dict[str, Any] | None = None

    async def with_password(self, caller: Caller) -> None:
        """Give a caller's user the password RIGHT."""
        await self.db.execute(
            "update app_user set password_hash = $2 where id = $1", uuid.UUID(caller.id), self.password_hash
        )

    async def with_otp(self, caller: Caller, *, confirmed: bool = True) -> str:
        """Give a caller's user an authenticator and return a fresh code of it."""
        user_id = uuid.UUID(caller.id)
        await self.db.execute(
            """
            update app_user
            set otp_sealed = $2, otp_confirmed_at = case when $3 then now() end, otp_last_step = 0
            where id = $1
            """,
            user_id,
            await self.hub.vault.seal(SECRET.encode(), b"otp " + user_id.bytes),
            confirmed,
        )
        return code_of(SECRET)

    async def running(self) -> dict[str, Any]:
        """Start a capture of a new run."""
        run = await self.new_run(self.sensor)
        return (await self.editor.post(f"/runs/{run['id']}/captures")).ok

    async def spectrum(self) -> dict[str, Any]:
        """Return the project's sensor of vectors, registered once."""
        if self._spectrum is None:
            axis = {"quantity": "frequency", "unit": "Hz", "step": 1.0, "count": 3}
            self._spectrum = await self.new_sensor(axis=axis)
        return self._spectrum

    async def draft(self) -> dict[str, Any]:
        """Draft a capture of a new run."""
        run = await self.new_run(self.sensor)
        return (await self.editor.post(f"/runs/{run['id']}/captures", {"start": False})).ok

    async def finished(self) -> dict[str, Any]:
        """Record a capture."""
        return (await self.editor.post(f"/captures/{(await self.running())['id']}/stop")).ok

    async def sealed(self) -> dict[str, Any]:
        """Seal a capture."""
        capture = await self.finished()
        await self.editor.post(f"/captures/{capture['id']}/seal")
        # Another caller's request may be doing the step that is left.
        while (await self.editor.get(f"/captures/{capture['id']}")).ok["status"] != "sealed":
            await job.step(self.hub)
        return capture

    async def invite(self) -> dict[str, Any]:
        """Invite a viewer into the project."""
        return (await self.owner.post("/invites", {"project_id": self.project, "role": "viewer"})).ok
