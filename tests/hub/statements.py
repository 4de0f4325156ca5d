"""Random statements on sensors, experiments, runs, captures and profiles, as an application without any check sends."""

import random
import uuid
from collections.abc import Callable
from typing import Any

from hub.captures.models import CaptureStatus
from hub.conversion.models import ProfileStatus
from hub.experiments.models import ExperimentStatus
from hub.kit.db import Tx
from hub.runs.models import RunStatus
from tests.hub.rows import BIND, DELETE_SENSOR, FREEZE, Rows

Row = dict[str, Any]
World = dict[str, list[Row]]
Statement = tuple[str, tuple[Any, ...]]

# Of things that are not over.
MOST_ROWS = 6
# What builds up comes more often than what takes away, so that long stories happen.
OFTEN = {
    "run_new": 2,
    "run_bind": 4,
    "run_move": 6,
    "capture_new": 5,
    "capture_freeze": 6,
    "capture_move": 14,
    "profile_move": 3,
    "experiment_new": 2,
    "experiment_move": 5,
}


async def look(db: Tx) -> World:
    """Read every row that the rules are about, the oldest first."""
    return await db.fetchval(
        """
        select jsonb_build_object(
          'sensor', (select coalesce(jsonb_agg(to_jsonb(s) order by no), '[]') from sensor s),
          'experiment', (select coalesce(jsonb_agg(to_jsonb(e) order by created_at), '[]') from experiment e),
          'run', (select coalesce(jsonb_agg(to_jsonb(r) order by created_at), '[]') from run r),
          'run_sensor', (
            select coalesce(jsonb_agg(to_jsonb(b) order by r.created_at, s.no), '[]')
            from run_sensor b join run r on r.id = b.run_id join sensor s on s.id = b.sensor_id
          ),
          'capture', (select coalesce(jsonb_agg(to_jsonb(c) order by created_at), '[]') from capture_session c),
          'capture_sensor', (
            select coalesce(jsonb_agg(to_jsonb(m) order by c.created_at, s.no), '[]')
            from capture_sensor m join capture_session c on c.id = m.capture_id join sensor s on s.id = m.sensor_id
          ),
          'profile', (select coalesce(jsonb_agg(to_jsonb(p) order by created_at), '[]') from conversion_profile p)
        )
        """
    )


def over(row: Row) -> bool:
    """Tell whether nothing much will happen to a row any more."""
    return row.get("deleted_at") is not None or row.get("status") in {"archived", "finished", "sealed", "deprecated"}


class Chance:
    """Draws statements about a world; the same seed and the same worlds give the same statements."""

    def __init__(self, seed: int, rows: Rows) -> None:
        self.random = random.Random(seed)
        self.rows = rows
        self.kinds: dict[str, Callable[[World], Statement]] = {
            name.removeprefix("draw_"): getattr(self, name) for name in dir(self) if name.startswith("draw_")
        }

    def draw(self, world: World) -> tuple[str, Statement]:
        """Draw a statement and the name of its kind."""
        while True:
            kind = self.random.choices(list(self.kinds), [OFTEN.get(kind, 1) for kind in self.kinds])[0]
            noun, _, verb = kind.partition("_")
            if verb != "new" or sum(not over(row) for row in world[noun]) < MOST_ROWS:
                return kind, self.kinds[kind](world)

    def one(self, world: World, table: str) -> uuid.UUID:
        """Draw a row, mostly one that is not over."""
        current = [row for row in world[table] if not over(row)]
        found = current if current and self.random.random() < 0.8 else world[table]
        return uuid.UUID(self.random.choice(found)["id"]) if found else uuid.uuid4()

    def link(self, world: World, table: str, column: str) -> tuple[uuid.UUID, uuid.UUID]:
        """Draw a row that links something with a sensor."""
        row = self.random.choice(world[table]) if world[table] else {}
        return uuid.UUID(row.get(column, str(uuid.uuid4()))), uuid.UUID(row.get("sensor_id", str(uuid.uuid4())))

    def status(self, states: type[Any], *likely: str) -> str:
        """Draw a state, mostly a likely one."""
        return self.random.choice(likely) if self.random.random() < 0.7 else self.random.choice(list(states)).value

    def draw_sensor_new(self, _world: World) -> Statement:
        return (
            """
            insert into sensor (project_id, name, type, input_unit, display_unit, token_digest, token_sealed)
            values ($1, $2::text, 'other', 'V', 'V', decode(md5($2::text), 'hex'), '')
            """,
            (self.rows.project, f"s{self.random.random()}"),
        )

    def draw_sensor_delete(self, world: World) -> Statement:
        return DELETE_SENSOR, (self.one(world, "sensor"),)

    def draw_sensor_destroy(self, world: World) -> Statement:
        return "delete from sensor where id = $1", (self.one(world, "sensor"),)

    def draw_experiment_new(self, _world: World) -> Statement:
        return (
            "insert into experiment (project_id, owner_id, name, status) values ($1, $2, 'Warm-up', $3)",
            (self.rows.project, self.rows.user, self.status(ExperimentStatus, "draft")),
        )

    def draw_experiment_move(self, world: World) -> Statement:
        target = self.status(ExperimentStatus, "running", "succeeded", "archived")
        return "update experiment set status = $2 where id = $1", (self.one(world, "experiment"), target)

    def draw_experiment_delete(self, world: World) -> Statement:
        return "delete from experiment where id = $1", (self.one(world, "experiment"),)

    def draw_run_new(self, world: World) -> Statement:
        return (
            """
            insert into run (experiment_id, number, name, status)
            select $1, coalesce(max(number), 0) + 1, 'r', $2 from run where experiment_id = $1
            """,
            (self.one(world, "experiment"), self.status(RunStatus, "draft")),
        )

    def draw_run_move(self, world: World) -> Statement:
        target = self.status(RunStatus, "running", "running", "scheduled", "succeeded")
        return "update run set status = $2 where id = $1", (self.one(world, "run"), target)

    def draw_run_move_all(self, world: World) -> Statement:
        target = self.status(RunStatus, "running", "draft")
        return "update run set status = $2 where experiment_id = $1", (self.one(world, "experiment"), target)

    def draw_run_transfer(self, world: World) -> Statement:
        return (
            "update run set experiment_id = $2, number = number + 100 where id = $1",
            (self.one(world, "run"), self.one(world, "experiment")),
        )

    def draw_run_delete(self, world: World) -> Statement:
        return "delete from run where id = $1", (self.one(world, "run"),)

    def draw_run_bind(self, world: World) -> Statement:
        return BIND, (self.one(world, "run"), self.one(world, "sensor"))

    def draw_run_release(self, world: World) -> Statement:
        return "delete from run_sensor where run_id = $1", (self.one(world, "run"),)

    def draw_run_rebind(self, world: World) -> Statement:
        bound = self.link(world, "run_sensor", "run_id")
        return (
            "update run_sensor set sensor_id = $3 where run_id = $1 and sensor_id = $2",
            (*bound, self.one(world, "sensor")),
        )

    def draw_capture_new(self, world: World) -> Statement:
        return (
            """
            insert into capture_session (run_id, ordinal_number, initiated_by, initiated_role, status)
            select $1, coalesce(max(ordinal_number), 0) + 1, $2, 'editor', $3 from capture_session where run_id = $1
            """,
            (self.one(world, "run"), self.rows.user, self.status(CaptureStatus, "draft")),
        )

    def draw_capture_move(self, world: World) -> Statement:
        """Most moves give the times that belong to them."""
        target = self.status(CaptureStatus, "running", "running", "finished")
        timed = self.random.random() < 0.9
        return (
            """
            update capture_session
            set status = $2::text,
              started_at = case when $3 and $2 = 'running' then now() else started_at end,
              stopped_at = case when $3 and $2 = 'finished' then clock_timestamp() else stopped_at end
            where id = $1
            """,
            (self.one(world, "capture"), target, timed),
        )

    def draw_capture_shift(self, world: World) -> Statement:
        return (
            """
            update capture_session
            set started_at = started_at - interval '1 s', notes = 'shifted'
            where id = $1
            """,
            (self.one(world, "capture"),),
        )

    def draw_capture_transfer(self, world: World) -> Statement:
        return "update capture_session set run_id = $2 where id = $1", (
            self.one(world, "capture"),
            self.one(world, "run"),
        )

    def draw_capture_delete(self, world: World) -> Statement:
        return "delete from capture_session where id = $1", (self.one(world, "capture"),)

    def draw_capture_freeze(self, world: World) -> Statement:
        return FREEZE, (self.one(world, "capture"), self.one(world, "sensor"))

    def draw_capture_release(self, world: World) -> Statement:
        frozen = self.link(world, "capture_sensor", "capture_id")
        return "delete from capture_sensor where capture_id = $1 and sensor_id = $2", frozen

    def draw_capture_exchange(self, world: World) -> Statement:
        frozen = self.link(world, "capture_sensor", "capture_id")
        return (
            "update capture_sensor set sensor_id = $3 where capture_id = $1 and sensor_id = $2",
            (*frozen, self.one(world, "sensor")),
        )

    def draw_profile_new(self, world: World) -> Statement:
        return (
            """
            insert into conversion_profile (sensor_id, version, kind, payload, status, valid_from)
            select $1, coalesce(max(version), 0) + 1, 'linear', '{}', $2, now() + $3::text::interval
            from conversion_profile
            where sensor_id = $1
            """,
            (
                self.one(world, "sensor"),
                self.status(ProfileStatus, "draft"),
                self.random.choice([None, "-1 h", "1 h"]),
            ),
        )

    def draw_profile_move(self, world: World) -> Statement:
        return (
            "update conversion_profile set status = $2, valid_to = now() where id = $1",
            (self.one(world, "profile"), self.status(ProfileStatus, "active", "scheduled", "deprecated")),
        )

    def draw_profile_change(self, world: World) -> Statement:
        change = self.random.choice(
            ["kind = 'table'", "version = version + 50", "payload = '[]'", "valid_from = now()"]
        )
        return f"update conversion_profile set {change} where id = $1", (self.one(world, "profile"),)

    def draw_profile_delete(self, world: World) -> Statement:
        return "delete from conversion_profile where id = $1", (self.one(world, "profile"),)
