"""SQL of live views."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def watchable(
    tx: Tx, *, user_id: UUID, only_project: UUID | None, sensors: Sequence[UUID], runs: Sequence[UUID]
) -> list[asyncpg.Record]:
    """Find the named sensors and those bound to the named runs, in projects of the user, with the user's role there."""
    return await tx.fetch(
        """
        select sensor.id, sensor.no, project.id as project_id, member.role, project.raw_policy
        from sensor
        join project on project.id = sensor.project_id
        join project_member member on member.project_id = project.id and member.user_id = $1
        where project.deleted_at is null and sensor.deleted_at is null
          and ($2::uuid is null or project.id = $2)
          and (
            sensor.id = any ($3::uuid[])
            or sensor.id in (select sensor_id from run_sensor where run_id = any ($4::uuid[]))
          )
        order by project.id, sensor.no
        """,
        user_id,
        only_project,
        sensors,
        runs,
    )
