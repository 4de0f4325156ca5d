"""SQL of the journal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def write(
    tx: Tx,
    *,
    sensors: Sequence[int],
    kinds: Sequence[str],
    minutes: Sequence[datetime],
    first_at: Sequence[datetime],
    last_at: Sequence[datetime],
    counts: Sequence[int],
    codes: Sequence[dict[str, int]],
    details: Sequence[dict[str, Any]],
) -> list[asyncpg.Record]:
    """Add to the rows of these sensors, kinds and minutes; returns them with the sensors that still exist."""
    return await tx.fetch(
        """
        with noted as (
          insert into sensor_journal as entry (sensor_no, kind, minute, first_at, last_at, count, codes, details)
          select * from unnest(
            $1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::jsonb[],
            $8::jsonb[]
          )
          on conflict (sensor_no, kind, minute) do update set
            first_at = least(entry.first_at, excluded.first_at),
            last_at = greatest(entry.last_at, excluded.last_at),
            count = entry.count + excluded.count,
            codes = (
              select coalesce(jsonb_object_agg(code, n), '{}')
              from (
                select code, sum(n::bigint) as n
                from (
                  select * from jsonb_each_text(entry.codes)
                  union all
                  select * from jsonb_each_text(excluded.codes)
                ) each (code, n)
                group by code
              ) summed
            ),
            details = excluded.details
          returning id, sensor_no, kind, count, codes
        )
        select noted.id, noted.kind, noted.count, noted.codes, sensor.id as sensor_id, sensor.project_id
        from noted
        join sensor on sensor.no = noted.sensor_no
        """,
        sensors,
        kinds,
        minutes,
        first_at,
        last_at,
        counts,
        codes,
        details,
    )


async def page(
    tx: Tx, *, sensor_id: UUID, kind: str | None, before_at: datetime, before_id: UUID, limit: int
) -> list[asyncpg.Record]:
    """List a sensor's entries, the newest first."""
    return await tx.fetch(
        """
        select entry.id, entry.kind, entry.first_at, entry.last_at, entry.count, entry.codes, entry.details
        from sensor
        join sensor_journal entry on entry.sensor_no = sensor.no
        where sensor.id = $1
          and ($2::text is null or entry.kind = $2)
          and (entry.first_at, entry.id) < ($3, $4)
        order by entry.first_at desc, entry.id desc
        limit $5
        """,
        sensor_id,
        kind,
        before_at,
        before_id,
        limit,
    )


async def delete_old(tx: Tx, *, days: int, most: int) -> int:
    """Delete entries of so long ago, `most` at once; returns how many."""
    return await tx.fetchval(
        """
        with deleted as (
          delete from sensor_journal
          where id in (
            select id
            from sensor_journal
            where first_at < now() - make_interval(days => $1)
            limit $2
          )
          returning 1
        )
        select count(*) from deleted
        """,
        days,
        most,
    )
