"""SQL of reading seals back: manifests, what they tell of, and what physical values were made of."""

from datetime import datetime
from uuid import UUID

import asyncpg
from asyncpg.cursor import Cursor

from hub.kit.db import Tx


async def seals(tx: Tx, capture_id: UUID) -> list[asyncpg.Record]:
    """List the seals of a capture."""
    return await tx.fetch(
        """
        select seal.seal, seal.sealed_at, seal.cause, seal.requested_by, requester.name as requested_name,
          seal.added, seal.samples, seal.sha256
        from capture_seal seal
        left join app_user requester on requester.id = seal.requested_by
        where seal.capture_id = $1
        order by seal.seal
        """,
        capture_id,
    )


async def manifests(tx: Tx, capture_id: UUID) -> list[asyncpg.Record]:
    """List what each sensor's series was after each seal of a capture."""
    return await tx.fetch(
        """
        select manifest.seal, manifest.sensor_no, manifest.sensor_id, sensor.name, sensor.axis is not null as vectors,
          manifest.added, manifest.n,
          manifest.first_t, manifest.last_t, manifest.sha256
        from capture_manifest manifest
        join sensor on sensor.id = manifest.sensor_id
        join capture_sensor member on member.capture_id = manifest.capture_id and member.sensor_id = manifest.sensor_id
        where manifest.capture_id = $1
        order by manifest.seal, member.place, sensor.name
        """,
        capture_id,
    )


async def content(tx: Tx, capture_id: UUID, sensor_no: int, seal: int) -> "Cursor[asyncpg.Record]":
    """Open a cursor over what a capture holds of a sensor after a seal, in the order of first_t."""
    return await tx.cursor(
        """
        select first_t, n, array_send(t_delta) as t_offset, array_send(raw) as raw, array_send(physical) as physical,
          status, profile_version, array_send(identity) as identity, true as sealed
        from telemetry_captured
        where capture_id = $1 and sensor_no = $2 and seal <= $3
        order by first_t
        """,
        capture_id,
        sensor_no,
        seal,
    )


async def conversions(tx: Tx, capture_id: UUID, sensor_no: int) -> "Cursor[asyncpg.Record]":
    """Open a cursor over a sensor's chunks in each of their revisions: raw, and what was made of it."""
    return await tx.cursor(
        """
        select 1 as revision, profile_version, array_send(raw) as raw, array_send(physical) as physical, status
        from telemetry_captured
        where capture_id = $1 and sensor_no = $2
        union all
        select later.revision, later.profile_version, array_send(chunk.raw), array_send(later.physical), later.status
        from telemetry_revision later
        join telemetry_captured chunk
          on chunk.capture_id = later.capture_id and chunk.sensor_no = later.sensor_no
          and chunk.chunk_no = later.chunk_no
        where later.capture_id = $1 and later.sensor_no = $2
        """,
        capture_id,
        sensor_no,
    )


async def unrevised(tx: Tx, capture_id: UUID, sensor_no: int) -> list[asyncpg.Record]:
    """Count the chunks that later revisions of a sensor's series lack."""
    return await tx.fetch(
        """
        select revision.revision, count(*) as chunks
        from capture_revision revision
        join telemetry_captured chunk
          on chunk.capture_id = revision.capture_id and chunk.sensor_no = revision.sensor_no
        left join telemetry_revision later
          on later.capture_id = chunk.capture_id and later.sensor_no = chunk.sensor_no
          and later.chunk_no = chunk.chunk_no and later.revision = revision.revision
        where revision.capture_id = $1 and revision.sensor_no = $2 and later.chunk_no is null
        group by revision.revision
        order by revision.revision
        """,
        capture_id,
        sensor_no,
    )


async def standing(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Read where a capture stands."""
    return await tx.fetchrow(
        """
        select ordinal_number, status
        from capture_session
        where id = $1
        """,
        capture_id,
    )


async def now(tx: Tx) -> datetime:
    """Return the database's time."""
    return await tx.fetchval("select clock_timestamp()")
