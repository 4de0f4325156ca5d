"""Sealed captures: their own copies of the samples, manifests of each seal, and the work that leads there."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOVES = """
create trigger capture_session_moves before update of status on capture_session
for each row when (old.status <> new.status and (old.status, new.status) not in (
  ('draft', 'running'), ('draft', 'failed'),
  ('running', 'finished'), ('running', 'failed'),
  ('finished', 'sealed'){more}
))
execute function refused('capture_status')
"""

# Days can go now. Whether one is there the catalog tells, read anew: to_regclass may know a table that was dropped.
ENSURE_DAY = """
create or replace function ensure_telemetry_day(day bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  width constant bigint := 86400000000;
  part text := 'telemetry_recent_' || to_char(to_timestamp(day * 86400) at time zone 'UTC', 'YYYYMMDD');
begin
  if {absent} then
    perform pg_advisory_xact_lock(hashtext('ensure_telemetry_day'));
    if {absent} then
      -- Attaching, unlike creating a partition in place, does not wait for those who read.
      execute format('create table %I (like telemetry_recent including defaults including storage)', part);
      execute format(
        'alter table telemetry_recent attach partition %I for values from (%s) to (%s)',
        part, day * width, (day + 1) * width
      );
    end if;
  end if;
end
$$
"""
KNOWN = "to_regclass(part) is null"
READ = "not exists (select from pg_class where relname = part and relnamespace = 'public'::regnamespace)"

VIEW = """
create view telemetry_record as
select
  s.id as sensor_id,
  c.run_id,
  c.id as capture_session_id,
  timestamptz 'epoch' + u.t * interval '1 microsecond' as timestamp,
  u.raw as raw_value,
  nullif(u.physical, 'NaN'::float8) as processed_value,
  p.id as conversion_profile_id,
  case coalesce(get_byte(k.status, (u.place - 1)::int), 0)
    when 0 then 'ok' when 1 then 'out_of_range' when 2 then 'conversion_error' else 'no_profile'
  end as conversion_status,
  k.meta -> (u.place - 1)::text as metadata
from telemetry_captured k
join capture_session c on c.id = k.capture_id and c.status = 'sealed'
join sensor s on s.no = k.sensor_no
cross join lateral (
  select k.first_t + sum(d.t_delta) over (order by d.place) as t, d.raw, d.physical, d.place
  from unnest(k.t_delta, k.raw, k.physical) with ordinality as d (t_delta, raw, physical, place)
) as u
left join conversion_profile p on p.sensor_id = s.id and p.version = k.profile_version
union all
select
  s.id,
  c.run_id,
  c.id,
  timestamptz 'epoch' + u.t * interval '1 microsecond',
  u.raw,
  nullif(u.physical, 'NaN'::float8),
  p.id,
  case coalesce(get_byte(r.status, (u.place - 1)::int), 0)
    when 0 then 'ok' when 1 then 'out_of_range' when 2 then 'conversion_error' else 'no_profile'
  end,
  r.meta -> (u.place - 1)::text
from telemetry_recent r
join sensor s on s.no = r.sensor_no
cross join lateral (
  select r.first_t + d.t_offset as t, d.raw, d.physical, d.place
  from unnest(r.t_offset, r.raw, r.physical) with ordinality as d (t_offset, raw, physical, place)
) as u
left join conversion_profile p on p.sensor_id = s.id and p.version = r.profile_version
left join lateral (
  select capture.id, capture.run_id, capture.status
  from capture_sensor cs
  join capture_session capture on capture.id = cs.capture_id
  where cs.sensor_no = r.sensor_no
    and capture.started_at <= timestamptz 'epoch' + u.t * interval '1 microsecond'
    and coalesce(capture.stopped_at, 'infinity') > timestamptz 'epoch' + u.t * interval '1 microsecond'
) as c on true
-- Of a sealed capture only what no seal took in yet; what it holds itself stands above.
where c.id is null or c.status <> 'sealed' or (
  exists (
    select from capture_late l
    where l.capture_id = c.id and l.sensor_no = r.sensor_no and l.seal is null and u.t between l.first_t and l.last_t
  )
  and not telemetry_is_captured(c.id, r.sensor_no, u.t, u.raw)
)
"""

# As 0003 made it.
FORMER_VIEW = """
create view telemetry_record as
select
  s.id as sensor_id,
  c.run_id,
  c.id as capture_session_id,
  timestamptz 'epoch' + (r.first_t + u.t_offset) * interval '1 microsecond' as timestamp,
  u.raw as raw_value,
  nullif(u.physical, 'NaN'::float8) as processed_value,
  p.id as conversion_profile_id,
  case coalesce(get_byte(r.status, (u.place - 1)::int), 0)
    when 0 then 'ok' when 1 then 'out_of_range' when 2 then 'conversion_error' else 'no_profile'
  end as conversion_status,
  r.meta -> (u.place - 1)::text as metadata
from telemetry_recent r
cross join lateral unnest(r.t_offset, r.raw, r.physical) with ordinality as u (t_offset, raw, physical, place)
join sensor s on s.no = r.sensor_no
left join conversion_profile p on p.sensor_id = s.id and p.version = r.profile_version
left join capture_sensor cs on cs.sensor_no = r.sensor_no
  and exists (
    select from capture_session i
    where i.id = cs.capture_id
      and i.started_at <= timestamptz 'epoch' + (r.first_t + u.t_offset) * interval '1 microsecond'
      and coalesce(i.stopped_at, 'infinity')
        > timestamptz 'epoch' + (r.first_t + u.t_offset) * interval '1 microsecond'
  )
left join capture_session c on c.id = cs.capture_id
"""

UP = (
    # A sealed capture is told by these chunks alone: they are added to by later seals, never changed.
    # t_delta holds the µs since the sample before (0 for the first), which compresses where a sensor is regular.
    """
    create table telemetry_captured (
      capture_id uuid not null,
      sensor_no int not null,
      chunk_no int not null,
      seal int not null check (seal > 0),
      first_t bigint not null,
      last_t bigint not null,
      n int not null check (n > 0),
      t_delta int[] not null,
      raw float8[] not null,
      physical float8[] not null,
      status bytea,
      profile_version int not null,
      received_at bigint not null,
      meta jsonb,
      primary key (capture_id, sensor_no, chunk_no)
    )
    """,
    "create index telemetry_captured_sensor on telemetry_captured (sensor_no, first_t, last_t)",
    # Revision 1 is what was sealed. Later seals write their chunks for every revision that stands here, under a lock
    # that waits for who adds one: commit the revision first, then fill in what it lacks.
    """
    create table capture_revision (
      capture_id uuid not null,
      sensor_no int not null,
      revision int not null check (revision > 1),
      profile_version int not null,
      created_by uuid,
      created_at timestamptz not null default clock_timestamp(),
      primary key (capture_id, sensor_no, revision)
    )
    """,
    """
    create table telemetry_revision (
      capture_id uuid not null,
      sensor_no int not null,
      chunk_no int not null,
      revision int not null check (revision > 1),
      profile_version int not null,
      physical float8[] not null,
      status bytea,
      primary key (capture_id, sensor_no, chunk_no, revision)
    )
    """,
    # What a capture holds once a seal is made: this seal's chunks and those of the seals before it.
    """
    create table capture_seal (
      capture_id uuid not null,
      seal int not null check (seal > 0),
      sealed_at timestamptz not null default clock_timestamp(),
      cause text not null check (cause in ('heard', 'age', 'hand', 'late')),
      requested_by uuid,
      added bigint not null,
      samples bigint not null,
      sha256 bytea not null,
      primary key (capture_id, seal)
    )
    """,
    """
    create table capture_manifest (
      capture_id uuid not null,
      seal int not null,
      sensor_no int not null,
      sensor_id uuid not null,
      added bigint not null,
      n bigint not null,
      first_t bigint,
      last_t bigint,
      sha256 bytea not null,
      primary key (capture_id, seal, sensor_no),
      foreign key (capture_id, seal) references capture_seal
    )
    """,
    # A seal in the making. Each step is a transaction that holds the job's row: killed, another one does it again.
    """
    create table seal_job (
      capture_id uuid primary key,
      seal int not null,
      cause text not null check (cause in ('heard', 'age', 'hand', 'late')),
      requested_by uuid,
      requested_at timestamptz not null default clock_timestamp(),
      drained boolean not null default false,
      steps int not null default 0,
      not_before timestamptz not null default clock_timestamp(),
      failures int not null default 0,
      error text
    )
    """,
    """
    create table seal_part (
      capture_id uuid not null references seal_job on delete cascade,
      sensor_no int not null,
      sensor_id uuid not null,
      from_t bigint not null,
      next_t bigint not null,
      to_t bigint not null,
      next_chunk int not null,
      added bigint not null default 0,
      n bigint,
      first_t bigint,
      last_t bigint,
      sha256 bytea,
      primary key (capture_id, sensor_no)
    )
    """,
    # Which seal took the late samples in; those without one are in the recent window only. Each row lies in one hour.
    "alter table capture_late add column seal int",
    "create index capture_late_waiting on capture_late (capture_id, sensor_no, first_t) where seal is null",
    "alter table capture_session add column failure text check (failure is null or status = 'failed')",
    "drop trigger capture_session_moves on capture_session",
    MOVES.format(more=", ('finished', 'failed')"),
    ENSURE_DAY.format(absent=READ),
    "drop view telemetry_record",
    """
    create function telemetry_is_captured(capture uuid, sensor int, at bigint, value float8) returns boolean
    language sql stable as $$
      select exists (
        select from telemetry_captured k
        cross join lateral (
          select k.first_t + sum(d.t_delta) over (order by d.place) as t, d.raw
          from unnest(k.t_delta, k.raw) with ordinality as d (t_delta, raw, place)
        ) as u
        where k.capture_id = capture and k.sensor_no = sensor
          and k.first_t between at - 600000000 and at and k.last_t >= at
          and u.t = at and float8send(u.raw) = float8send(value)
      )
    $$
    """,
    VIEW,
    # last_t spares the table: which chunks reach into a span the index alone tells, however many there are.
    "drop index telemetry_recent_sensor",
    "create index telemetry_recent_sensor on telemetry_recent (sensor_no, first_t, last_t)",
    """
    create function drop_telemetry_day(day bigint) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      width constant bigint := 86400000000;
      part text := 'telemetry_recent_' || to_char(to_timestamp(day * 86400) at time zone 'UTC', 'YYYYMMDD');
    begin
      -- No writer is in the middle of storing while the day goes, and no seal reads it any more.
      perform from stream_shard order by shard for update;
      if not exists (select from pg_class where relname = part and relnamespace = 'public'::regnamespace)
        or exists (
          select from capture_session
          where status <> 'sealed'
            and started_at < to_timestamp((day + 1) * 86400)
            and coalesce(stopped_at, 'infinity') >= to_timestamp(day * 86400)
        )
        or exists (
          select from capture_late
          where seal is null and first_t < (day + 1) * width and last_t >= day * width
        )
        or exists (
          select from seal_part
          where from_t < (day + 1) * width and to_t >= day * width
        )
      then
        return false;
      end if;
      execute format('drop table %I', part);
      return true;
    end
    $$
    """,
    "revoke execute on function drop_telemetry_day(bigint) from public",
    # Merging leaves an index of pages with an entry each; rebuilt, it needs a fiftieth.
    """
    create function tighten_telemetry_day(day bigint) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      part text := 'telemetry_recent_' || to_char(to_timestamp(day * 86400) at time zone 'UTC', 'YYYYMMDD');
      chunks bigint;
    begin
      if not exists (select from pg_class where relname = part and relnamespace = 'public'::regnamespace) then
        return false;
      end if;
      execute format('select count(*) from %I', part) into chunks;
      if pg_indexes_size(part::regclass) < 1000000 + 200 * chunks then
        return false;
      end if;
      execute format('reindex table %I', part);
      return true;
    end
    $$
    """,
    "revoke execute on function tighten_telemetry_day(bigint) from public",
    "revoke update, delete on telemetry_captured, capture_seal, capture_manifest from etp_app",
    "revoke update on telemetry_revision, capture_revision from etp_app",
)

DOWN = (
    "drop function tighten_telemetry_day(bigint)",
    "drop function drop_telemetry_day(bigint)",
    "drop index telemetry_recent_sensor",
    "create index telemetry_recent_sensor on telemetry_recent (sensor_no, first_t)",
    "drop view telemetry_record",
    "drop function telemetry_is_captured(uuid, int, bigint, float8)",
    FORMER_VIEW,
    ENSURE_DAY.format(absent=KNOWN),
    "drop trigger capture_session_moves on capture_session",
    MOVES.format(more=""),
    "alter table capture_session drop column failure",
    "drop index capture_late_waiting",
    "alter table capture_late drop column seal",
    "drop table seal_part",
    "drop table seal_job",
    "drop table capture_manifest",
    "drop table capture_seal",
    "drop table telemetry_revision",
    "drop table capture_revision",
    "drop table telemetry_captured",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
