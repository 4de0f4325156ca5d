"""SQL of vectors."""

from collections.abc import Sequence

import asyncpg
from asyncpg.cursor import Cursor

from hub.kit.db import Tx


async def insert(
    tx: Tx, rows: Sequence[tuple[int, int, int, int, int, list[float], list[float], bytes | None]]
) -> None:
    """Store vectors: (sensor no, t, identity, version, received at, raw, physical, status codes); once each."""
    await tx.executemany(
        """
        insert into telemetry_vector
          (sensor_no, t, identity, profile_version, received_at, raw, physical, status)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict do nothing
        """,
        rows,
    )


async def named(tx: Tx, sensor_no: int, times: Sequence[int], identities: Sequence[int]) -> list[asyncpg.Record]:
    """Read the vectors with these t and identities, in this order; what is not there is left out."""
    return await tx.fetch(
        """
        select vector.t, vector.identity, array_send(vector.raw) as raw, array_send(vector.physical) as physical,
          vector.status, vector.profile_version
        from unnest($2::bigint[], $3::bigint[]) with ordinality as wanted (t, identity, place)
        join telemetry_vector vector
          on vector.sensor_no = $1 and vector.t = wanted.t and vector.identity = wanted.identity
        order by wanted.place
        """,
        sensor_no,
        times,
        identities,
    )


async def count(tx: Tx, sensor_no: int, from_us: int, to_us: int) -> int:
    """Count a sensor's vectors with from ≤ t < to."""
    return await tx.fetchval(
        """
        select count(*)
        from telemetry_vector
        where sensor_no = $1 and t >= $2 and t < $3
        """,
        sensor_no,
        from_us,
        to_us,
    )


async def newest(tx: Tx, sensor_no: int, from_us: int, to_us: int, limit: int) -> list[asyncpg.Record]:
    """Read the newest vectors with from ≤ t < to, the newest first."""
    return await tx.fetch(
        """
        select t, identity, array_send(raw) as raw, array_send(physical) as physical, status, profile_version
        from telemetry_vector
        where sensor_no = $1 and t >= $2 and t < $3
        order by t desc, identity desc
        limit $4
        """,
        sensor_no,
        from_us,
        to_us,
        limit,
    )


async def cursor(tx: Tx, sensor_no: int, from_us: int, to_us: int) -> "Cursor[asyncpg.Record]":
    """Open a cursor over all vectors with from ≤ t < to, in order."""
    return await tx.cursor(
        """
        select t, identity, array_send(raw) as raw, array_send(physical) as physical, status, profile_version
        from telemetry_vector
        where sensor_no = $1 and t >= $2 and t < $3
        order by t, identity
        """,
        sensor_no,
        from_us,
        to_us,
    )
