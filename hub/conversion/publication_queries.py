"""SQL of drafts and of their publication."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def lock_sensor(tx: Tx, sensor_id: UUID) -> asyncpg.Record | None:
    """Lock a sensor's profiles against whoever drafts or publishes one, and read its units."""
    return await tx.fetchrow(
        """
        select input_unit, display_unit
        from sensor
        where id = $1 and deleted_at is null
        for no key update
        """,
        sensor_id,
    )


async def insert_draft(
    tx: Tx,
    *,
    profile_id: UUID,
    sensor_id: UUID,
    kind: str,
    payload_sealed: bytes,
    input_unit: str,
    display_unit: str,
    created_by: UUID,
) -> int:
    """Create a draft with the sensor's next version number, which is returned; the sensor is locked."""
    return await tx.fetchval(
        """
        insert into conversion_profile
          (id, sensor_id, version, kind, payload_sealed, status, input_unit, display_unit, created_by)
        select $1, $2, coalesce(max(version), 0) + 1, $3, $4, 'draft', $5, $6, $7
        from conversion_profile
        where sensor_id = $2
        returning version
        """,
        profile_id,
        sensor_id,
        kind,
        payload_sealed,
        input_unit,
        display_unit,
        created_by,
    )


async def sensor_of(tx: Tx, profile_id: UUID) -> UUID | None:
    """Find the sensor of a profile."""
    return await tx.fetchval(
        """
        select sensor_id
        from conversion_profile
        where id = $1
        """,
        profile_id,
    )


async def lock(tx: Tx, profile_id: UUID) -> asyncpg.Record | None:
    """Lock a version and read where it stands."""
    return await tx.fetchrow(
        """
        select id, sensor_id, version, kind, valid_from, input_unit, display_unit,
          profile_standing(status, valid_from, valid_to) as status
        from conversion_profile
        where id = $1
        for update
        """,
        profile_id,
    )


async def update_draft(
    tx: Tx, *, profile_id: UUID, kind: str, payload_sealed: bytes, input_unit: str, display_unit: str
) -> None:
    """Replace what a draft says."""
    await tx.execute(
        """
        update conversion_profile
        set kind = $2, payload_sealed = $3, input_unit = $4, display_unit = $5
        where id = $1
        """,
        profile_id,
        kind,
        payload_sealed,
        input_unit,
        display_unit,
    )


async def delete_draft(tx: Tx, profile_id: UUID) -> None:
    """Delete a draft."""
    await tx.execute(
        """
        delete from conversion_profile
        where id = $1
        """,
        profile_id,
    )


async def now(tx: Tx) -> datetime:
    """Return the database's time."""
    return await tx.fetchval("select clock_timestamp()")


async def scheduled_of(tx: Tx, sensor_id: UUID) -> asyncpg.Record | None:
    """Find the version of a sensor that is still to come."""
    return await tx.fetchrow(
        """
        select version, valid_from
        from conversion_profile
        where sensor_id = $1 and profile_standing(status, valid_from, valid_to) = 'scheduled'
        """,
        sensor_id,
    )


async def settle(tx: Tx, sensor_id: UUID) -> None:
    """Write down what the sensor's published versions have become meanwhile."""
    await tx.execute(
        """
        update conversion_profile
        set status = profile_standing(status, valid_from, valid_to)
        where sensor_id = $1 and status <> profile_standing(status, valid_from, valid_to)
        """,
        sensor_id,
    )


async def end_current(tx: Tx, sensor_id: UUID, valid_to: datetime) -> None:
    """Let the sensor's version that has no end yet end at a time."""
    await tx.execute(
        """
        update conversion_profile
        set valid_to = $2
        where sensor_id = $1 and status = 'active' and valid_to is null
        """,
        sensor_id,
        valid_to,
    )


async def publish(tx: Tx, profile_id: UUID, *, valid_from: datetime, published_by: UUID) -> None:
    """Let a draft apply from a time on."""
    await tx.execute(
        """
        update conversion_profile
        set status = 'scheduled', valid_from = $2, published_by = $3, published_at = clock_timestamp()
        where id = $1
        """,
        profile_id,
        valid_from,
        published_by,
    )


async def withdraw(tx: Tx, profile_id: UUID) -> None:
    """Let a version that has not begun apply at no time."""
    await tx.execute(
        """
        update conversion_profile
        set status = 'deprecated', valid_to = valid_from
        where id = $1
        """,
        profile_id,
    )


async def resume(tx: Tx, sensor_id: UUID, valid_to: datetime) -> None:
    """Let the version that was to end at a time go on without end."""
    await tx.execute(
        """
        update conversion_profile
        set valid_to = null
        where sensor_id = $1 and status = 'active' and valid_to = $2
        """,
        sensor_id,
        valid_to,
    )
