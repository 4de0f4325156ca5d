"""SQL of reading samples and of the ledgers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from asyncpg.cursor import Cursor

from hub.kit.db import Tx


async def upper_count(
    tx: Tx, sensor_no: int, from_us: int, to_us: int, *, span_us: int, capture_id: UUID | None
) -> int:
    """Count the samples of the chunks that meet a range: as many as lie within, or more, but for late ones."""
    return await tx.fetchval(
        """
        select (
          select coalesce(sum(n), 0)
          from telemetry_captured
          where capture_id = $5 and sensor_no = $1 and first_t > $2::bigint - $4::bigint and first_t < $3
            and last_t >= $2
            and exists (select from capture_session where id = $5::uuid and status = 'sealed')
        )::bigint + (
          select coalesce(sum(n), 0)
          from telemetry_recent
          where sensor_no = $1 and first_t > $2::bigint - $4::bigint and first_t < $3 and last_t >= $2
            and not exists (select from capture_session where id = $5::uuid and status = 'sealed')
        )::bigint
        """,
        sensor_no,
        from_us,
        to_us,
        span_us,
        capture_id,
    )


async def upper_count_of_all(tx: Tx, sensors: Sequence[int], from_us: int, span_us: int) -> int:
    """Count the samples of the sensors' chunks that reach a time: at least as many as lie at or after it."""
    return await tx.fetchval(
        """
        select coalesce(sum(n), 0)::bigint
        from telemetry_recent
        where sensor_no = any ($1::int[]) and first_t > $2::bigint - $3::bigint and last_t >= $2
        """,
        sensors,
        from_us,
        span_us,
    )


async def chunks_of_all(tx: Tx, sensors: Sequence[int], from_us: int, span_us: int) -> list[asyncpg.Record]:
    """Read the chunks of sensors that reach a time; no chunk is longer than `span_us`."""
    return await tx.fetch(
        """
        select sensor_no, first_t, n, array_send(t_offset) as t_offset, array_send(raw) as raw,
          array_send(physical) as physical, status, profile_version, array_send(identity) as identity, false as sealed
        from telemetry_recent
        where sensor_no = any ($1::int[]) and first_t > $2::bigint - $3::bigint and last_t >= $2
        order by sensor_no, first_t
        """,
        sensors,
        from_us,
        span_us,
    )


async def chunks(
    tx: Tx, sensor_no: int, from_us: int, to_us: int, *, span_us: int, capture_id: UUID | None, revision: int
) -> "Cursor[asyncpg.Record]":
    """Open a cursor over the chunks of a sensor that meet from ≤ t < to; no chunk is longer than `span_us`.

    Of a sealed capture they are its own, and those of the recent window that hold samples no seal took in yet; of any
    other, and where none is named, those of the recent window. Physical values are a revision's, 1 is what came first.
    """
    return await tx.cursor(
        """
        select chunk.first_t, chunk.n, array_send(chunk.t_delta) as t_offset, array_send(chunk.raw) as raw,
          array_send(coalesce(later.physical, chunk.physical)) as physical,
          case when later.revision is null then chunk.status else later.status end as status,
          coalesce(later.profile_version, chunk.profile_version) as profile_version,
          array_send(chunk.identity) as identity, true as sealed
        from telemetry_captured chunk
        left join telemetry_revision later on later.capture_id = chunk.capture_id
          and later.sensor_no = chunk.sensor_no and later.chunk_no = chunk.chunk_no and later.revision = $6
        where chunk.capture_id = $5 and chunk.sensor_no = $1 and chunk.first_t > $2::bigint - $4::bigint
          and chunk.first_t < $3 and chunk.last_t >= $2
          and exists (select from capture_session where id = $5::uuid and status = 'sealed')
        union all
        select first_t, n, array_send(t_offset), array_send(raw), array_send(physical),
          status, profile_version, array_send(identity), false
        from telemetry_recent chunk
        where sensor_no = $1 and first_t > $2::bigint - $4::bigint and first_t < $3 and last_t >= $2
          and (
            not exists (select from capture_session where id = $5::uuid and status = 'sealed')
            or exists (
              select from capture_late late
              where late.capture_id = $5 and late.sensor_no = $1 and late.seal is null
                and late.first_t <= chunk.last_t and late.last_t >= chunk.first_t
            )
          )
        order by first_t
        """,
        sensor_no,
        from_us,
        to_us,
        span_us,
        capture_id,
        revision,
    )


async def project_of_sensor(tx: Tx, sensor_id: UUID) -> UUID | None:
    """Find a sensor's project; a deleted sensor's samples stay readable."""
    return await tx.fetchval("select project_id from sensor where id = $1", sensor_id)


async def project_of_capture(tx: Tx, capture_id: UUID) -> UUID | None:
    """Find a capture's project."""
    return await tx.fetchval(
        """
        select experiment.project_id
        from capture_session capture
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where capture.id = $1
        """,
        capture_id,
    )


async def sensor(tx: Tx, sensor_id: UUID) -> asyncpg.Record | None:
    """Read what samples are labelled with."""
    return await tx.fetchrow(
        """
        select id, no, name, display_unit, input_unit, axis, heartbeat_interval_s
        from sensor
        where id = $1
        """,
        sensor_id,
    )


async def capture_range(tx: Tx, capture_id: UUID) -> asyncpg.Record | None:
    """Read a capture's range in µs (to_us null while it runs without a planned end) and its file's name."""
    return await tx.fetchrow(
        """
        select capture.id, capture.ordinal_number, capture.status, run.number as run_number,
          (extract(epoch from capture.started_at) * 1000000)::bigint as from_us,
          (extract(epoch from coalesce(capture.stopped_at, capture.auto_stop_at)) * 1000000)::bigint as to_us
        from capture_session capture
        join run on run.id = capture.run_id
        where capture.id = $1
        """,
        capture_id,
    )


async def capture_sensors(tx: Tx, capture_id: UUID) -> list[asyncpg.Record]:
    """List a capture's sensors in their order."""
    return await tx.fetch(
        """
        select sensor.id, sensor.no, sensor.name, sensor.display_unit, sensor.input_unit, sensor.axis,
          sensor.heartbeat_interval_s
        from capture_sensor member
        join sensor on sensor.id = member.sensor_id
        where member.capture_id = $1
        order by member.place, sensor.name
        """,
        capture_id,
    )


async def revisions(tx: Tx, capture_id: UUID, sensor_id: UUID) -> list[asyncpg.Record]:
    """List a capture's later revisions; those of other sensors than this one are without a profile."""
    return await tx.fetch(
        """
        select later.revision, later.profile_version, profile.id as profile_id
        from capture_revision later
        left join sensor on sensor.no = later.sensor_no and sensor.id = $2
        left join conversion_profile profile on profile.sensor_id = sensor.id
          and profile.version = later.profile_version
        where later.capture_id = $1
        order by later.revision
        """,
        capture_id,
        sensor_id,
    )


async def sensor_counts(tx: Tx, sensors: Sequence[int]) -> dict[int, asyncpg.Record]:
    """Read by sensor the booked counts, the newest t and when a packet without a number last came (µs).

    Of numbered packets `packets_sent` are those from the first to the last number of each boot, `packets_seen` came.
    What nothing was booked for is left out.
    """
    rows = await tx.fetch(
        """
        select sensor_no, received, stored, duplicates, rejected, late, differing, high_water,
          packets_sent, packets_seen, unnumbered_at
        from sensor_ledger
        where sensor_no = any ($1::int[])
        """,
        sensors,
    )
    return {row["sensor_no"]: row for row in rows}


async def lost_counts(tx: Tx, sensors: Sequence[int], from_us: int, to_us: int) -> Counter[int]:
    """Count by sensor what was acknowledged and then lost with the stream's files, by batches that meet a range."""
    rows = await tx.fetch(
        """
        select sensor_no, sum(samples)::bigint as n
        from stream_lost
        where sensor_no = any ($1::int[]) and first_t < $3 and last_t >= $2
        group by sensor_no
        """,
        sensors,
        from_us,
        to_us,
    )
    return by_sensor(rows)


async def stored_in_range(tx: Tx, sensors: Sequence[int], from_us: int, to_us: int, span_us: int) -> Counter[int]:
    """Count stored samples with from ≤ t < to, by sensor."""
    rows = await tx.fetch(
        """
        select sensor_no, sum(
          case
            when first_t >= $2 and last_t < $3 then n
            else (select count(*) from unnest(t_offset) o where first_t + o >= $2 and first_t + o < $3)
          end
        )::bigint as n
        from telemetry_recent
        where sensor_no = any ($1::int[]) and first_t > $2::bigint - $4::bigint and first_t < $3 and last_t >= $2
        group by sensor_no
        """,
        sensors,
        from_us,
        to_us,
        span_us,
    )
    return by_sensor(rows)


async def is_sealed(tx: Tx, capture_id: UUID) -> bool:
    """Tell whether a capture is sealed."""
    return bool(await tx.fetchval("select status = 'sealed' from capture_session where id = $1", capture_id))


async def stored_in_sealed(tx: Tx, capture_id: UUID) -> Counter[int]:
    """Count by sensor what a sealed capture stores, with what no seal took in yet."""
    rows = await tx.fetch(
        """
        select sensor_no, sum(n)::bigint as n
        from (
          select sensor_no, n from telemetry_captured where capture_id = $1
          union all
          select sensor_no, n from capture_late where capture_id = $1 and seal is null
        ) part
        group by sensor_no
        """,
        capture_id,
    )
    return by_sensor(rows)


async def not_stored_in_range(
    tx: Tx, sensors: Sequence[int], from_us: int, to_us: int
) -> tuple[Counter[int], Counter[int]]:
    """Count by sensor received samples with from ≤ t < to that were not stored: duplicates, and the others."""
    rows = await tx.fetch(
        """
        select part.sensor_no, part.reason = 'duplicate' as duplicate, count(*) as n
        from telemetry_not_stored part
        cross join lateral unnest(part.t) as one (t)
        where part.sensor_no = any ($1::int[]) and part.first_t < $3 and part.last_t >= $2
          and one.t >= $2 and one.t < $3
        group by 1, 2
        """,
        sensors,
        from_us,
        to_us,
    )
    return by_sensor(row for row in rows if row["duplicate"]), by_sensor(row for row in rows if not row["duplicate"])


def by_sensor(rows: Iterable[asyncpg.Record]) -> Counter[int]:
    """Return each row's n under its sensor_no; 0 for all others."""
    return Counter({row["sensor_no"]: row["n"] for row in rows})


async def late_of_capture(tx: Tx, capture_id: UUID, sensors: Sequence[int]) -> Counter[int]:
    """Count the samples of a capture, sensor by sensor, that were stored after its Stop."""
    rows = await tx.fetch(
        """
        select sensor_no, sum(n)::bigint as n
        from capture_late
        where capture_id = $1 and sensor_no = any ($2::int[])
        group by sensor_no
        """,
        capture_id,
        sensors,
    )
    return by_sensor(rows)


async def now_us(tx: Tx) -> int:
    """Return the database's clock in µs since 1970."""
    return await tx.fetchval("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
