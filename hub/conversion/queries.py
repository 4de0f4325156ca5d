"""SQL of conversion profiles."""

from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def project_of_sensor(tx: Tx, sensor_id: UUID) -> UUID | None:
    """Find the project of a sensor."""
    return await tx.fetchval(
        """
        select project_id
        from sensor
        where id = $1 and deleted_at is null
        """,
        sensor_id,
    )


async def project_of_profile(tx: Tx, profile_id: UUID) -> UUID | None:
    """Find the project of a profile's sensor; profiles of deleted sensors stay readable, captures refer to them."""
    return await tx.fetchval(
        """
        select sensor.project_id
        from conversion_profile profile
        join sensor on sensor.id = profile.sensor_id
        where profile.id = $1
        """,
        profile_id,
    )


async def insert_first(
    tx: Tx, *, profile_id: UUID, sensor_id: UUID, kind: str, payload_sealed: bytes, created_by: UUID
) -> asyncpg.Record:
    """Create version 1, active and valid from the beginning."""
    row = await tx.fetchrow(
        """
        insert into conversion_profile
          (id, sensor_id, version, kind, payload_sealed, status, created_by, published_by, published_at, input_unit,
           display_unit)
        select $1, sensor.id, 1, $3, $4, 'active', $5, $5, clock_timestamp(), sensor.input_unit, sensor.display_unit
        from sensor
        where sensor.id = $2
        returning id, version, kind
        """,
        profile_id,
        sensor_id,
        kind,
        payload_sealed,
        created_by,
    )
    assert row is not None  # noqa: S101 - the sensor was made in this transaction
    return row


async def of_sensor(tx: Tx, sensor_id: UUID) -> list[asyncpg.Record]:
    """List the versions of a sensor's profile, the newest first."""
    return await tx.fetch(
        """
        select profile.id, profile.sensor_id, profile.version, profile.kind, profile.payload_sealed,
          profile.valid_from, profile.valid_to, profile.input_unit, profile.display_unit, profile.created_at,
          author.name as created_by, profile.published_at, publisher.name as published_by,
          profile_standing(profile.status, profile.valid_from, profile.valid_to) as status
        from conversion_profile profile
        left join app_user author on author.id = profile.created_by
        left join app_user publisher on publisher.id = profile.published_by
        where profile.sensor_id = $1
        order by profile.version desc
        """,
        sensor_id,
    )


async def find(tx: Tx, profile_id: UUID) -> asyncpg.Record | None:
    """Read a profile."""
    return await tx.fetchrow(
        """
        select profile.id, profile.sensor_id, profile.version, profile.kind, profile.payload_sealed,
          profile.valid_from, profile.valid_to, profile.input_unit, profile.display_unit, profile.created_at,
          author.name as created_by, profile.published_at, publisher.name as published_by,
          profile_standing(profile.status, profile.valid_from, profile.valid_to) as status
        from conversion_profile profile
        left join app_user author on author.id = profile.created_by
        left join app_user publisher on publisher.id = profile.published_by
        where profile.id = $1
        """,
        profile_id,
    )


async def active_of(tx: Tx, sensor_ids: list[UUID]) -> list[asyncpg.Record]:
    """Find the active versions of several sensors."""
    return await tx.fetch(
        """
        select sensor_id, id, version, kind
        from conversion_profile
        where sensor_id = any($1::uuid[]) and profile_standing(status, valid_from, valid_to) = 'active'
        """,
        sensor_ids,
    )


async def published_of(tx: Tx, sensor_ids: list[UUID]) -> list[asyncpg.Record]:
    """List every version of several sensors that applies to some time."""
    return await tx.fetch(
        """
        select id, sensor_id, version, valid_from, valid_to, payload_sealed
        from conversion_profile
        where sensor_id = any($1::uuid[]) and status <> 'draft'
        order by sensor_id, version
        """,
        sensor_ids,
    )


async def lock_open_payloads(tx: Tx) -> list[asyncpg.Record]:
    """Lock the profiles whose payloads stand in the clear, as versions before data keys left them."""
    return await tx.fetch(
        """
        select id, payload
        from conversion_profile
        where payload is not null
        for update
        """
    )


async def put_sealed(tx: Tx, profile_ids: list[UUID], sealed: list[bytes]) -> None:
    """Replace payloads in the clear by sealed ones."""
    await tx.execute(
        """
        update conversion_profile profile
        set payload = null, payload_sealed = given.sealed
        from unnest($1::uuid[], $2::bytea[]) as given (id, sealed)
        where profile.id = given.id
        """,
        profile_ids,
        sealed,
    )


async def rewrite(connection: Tx) -> None:
    """Write the profiles' file anew, without what was replaced in it; outside a transaction."""
    await connection.execute("vacuum full conversion_profile")
