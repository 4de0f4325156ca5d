"""Rows as the application writes them, for tests that go past the API: each thing is led to its state move by move."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hub.kit.db import Tx

# How a thing that begins as a draft gets there.
RUN_PATHS = {
    "draft": (),
    "scheduled": ("scheduled",),
    "running": ("running",),
    "succeeded": ("running", "succeeded"),
    "failed": ("running", "failed"),
    "archived": ("archived",),
}
CAPTURE_PATHS = {
    "draft": (),
    "running": ("running",),
    "finished": ("running", "finished"),
    "sealed": ("running", "finished", "sealed"),
    "failed": ("running", "failed"),
}
MOVE_RUN = "update run set status = $2 where id = $1"
MOVE_CAPTURE = """
update capture_session
set status = $2, started_at = coalesce(started_at, now()),
  stopped_at = case $2 when 'finished' then clock_timestamp() else stopped_at end
where id = $1
"""
BIND = "insert into run_sensor (run_id, sensor_id, place) values ($1, $2, 1)"
FREEZE = "insert into capture_sensor (capture_id, sensor_id, sensor_no, place) values ($1, $2, 0, 1)"
DELETE_SENSOR = "update sensor set deleted_at = now() where id = $1"


@dataclass
class Rows:
    """Makes rows of one project; `user` initiates and owns them."""

    db: Tx
    project: UUID
    user: UUID
    counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def sensor(self) -> UUID:
        """Register a sensor without a profile."""
        no = next(self.counter)
        return await self.db.fetchval(
            """
            insert into sensor (project_id, name, type, input_unit, display_unit, token_digest, token_sealed)
            values ($1, $2, 'other', 'V', 'V', $3, '')
            returning id
            """,
            self.project,
            f"s{no}",
            no.to_bytes(8, "big"),
        )

    async def experiment(self, status: str = "draft") -> UUID:
        """Create an experiment that can be in `status` after one move at most."""
        made = await self.db.fetchval(
            "insert into experiment (project_id, name, owner_id) values ($1, 'Warm-up', $2) returning id",
            self.project,
            self.user,
        )
        await self.db.execute("update experiment set status = $2 where id = $1", made, status)
        return made

    async def run(self, status: str = "draft", *, of: UUID | None = None, sensors: Sequence[UUID] = ()) -> UUID:
        """Create a run of a new experiment, or of one, with sensors bound."""
        experiment_id = of or await self.experiment()
        made = await self.db.fetchval(
            """
            insert into run (experiment_id, number, name)
            select $1, count(*) + 1, 'run' from run where experiment_id = $1
            returning id
            """,
            experiment_id,
        )
        for sensor in sensors:
            await self.db.execute(BIND, made, sensor)
        for move in RUN_PATHS[status]:
            await self.db.execute(MOVE_RUN, made, move)
        return made

    async def capture(self, status: str = "draft", *, of: UUID | None = None, sensors: Sequence[UUID] = ()) -> UUID:
        """Create a capture of a new running run, or of one, with sensors frozen."""
        run_id = of or await self.run("running")
        made = await self.db.fetchval(
            """
            with numbered as (
              update run
              set captures_made = captures_made + 1
              where id = $1
              returning captures_made
            )
            insert into capture_session (run_id, ordinal_number, initiated_by, initiated_role)
            select $1, captures_made, $2, 'editor'
            from numbered
            returning id
            """,
            run_id,
            self.user,
        )
        for sensor in sensors:
            await self.db.execute(FREEZE, made, sensor)
        for move in CAPTURE_PATHS[status]:
            await self.db.execute(MOVE_CAPTURE, made, move)
        return made

    async def profile(self, status: str = "draft", *, of: UUID | None = None, begins_in: str | None = None) -> UUID:
        """Create a version of a new sensor's profile, or of one's; `begins_in` is an interval, None the beginning."""
        return await self.db.fetchval(
            """
            insert into conversion_profile (sensor_id, version, kind, payload, status, valid_from)
            select $1, count(*) + 1, 'linear', '{"kind": "linear", "slope": 2, "intercept": 1}', $2,
              now() + $3::text::interval
            from conversion_profile
            where sensor_id = $1
            returning id
            """,
            of or await self.sensor(),
            status,
            begins_in,
        )

    async def backfill(self, capture: UUID, sensor: UUID) -> UUID:
        """Plan a backfill of a sensor's series of a capture by a new version."""
        return await self.db.fetchval(
            """
            insert into backfill
              (project_id, capture_id, sensor_id, sensor_no, profile_id, profile_version, revision, requested_by)
            select $1, $2, $3, no, $4, 1, 2, $5
            from sensor
            where id = $3
            returning id
            """,
            self.project,
            capture,
            sensor,
            await self.profile("active", of=sensor),
            self.user,
        )
