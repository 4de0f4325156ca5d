"""Samples in chunks, the position of the stream, and the counts that must add up."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Telemetry tables have no foreign keys: what was acknowledged is stored, whatever became of its sensor.
# Times are int64 microseconds since 1970, so that what is stored is bit for bit what was sent.
UP = (
    "create sequence telemetry_chunk_no",
    """
    create table telemetry_recent (
      sensor_no int not null,
      first_t bigint not null,
      last_t bigint not null,
      chunk_no bigint not null default nextval('telemetry_chunk_no'),
      n int not null,
      t_offset int[] not null,
      raw float8[] not null,
      physical float8[] not null,
      status bytea,
      profile_version int not null,
      received_at bigint not null,
      meta jsonb
    ) partition by range (first_t)
    """,
    "create index telemetry_recent_sensor on telemetry_recent (sensor_no, first_t)",
    "alter table telemetry_recent alter column raw set storage external",
    "alter table telemetry_recent alter column physical set storage external",
    """
    create function ensure_telemetry_day(day bigint) returns void language plpgsql as $$
    declare
      width constant bigint := 86400000000;
      part text := 'telemetry_recent_' || to_char(to_timestamp(day * 86400) at time zone 'UTC', 'YYYYMMDD');
    begin
      if to_regclass(part) is null then
        perform pg_advisory_xact_lock(hashtext('ensure_telemetry_day'));
        if to_regclass(part) is null then
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
    """,
    """
    create table stream_shard (
      shard int primary key,
      run_id text not null,
      last_id text not null
    )
    """,
    """
    create table stream_life (
      shard int not null,
      run_id text not null,
      last_id text not null,
      updated_at timestamptz not null default now(),
      primary key (shard, run_id)
    )
    """,
    """
    create table stream_dead (
      id bigint generated always as identity primary key,
      shard int not null,
      entry_id text not null,
      entry bytea not null,
      reason text not null,
      at timestamptz not null default now()
    )
    """,
    """
    create table stream_lost (
      id bigint generated always as identity primary key,
      shard int not null,
      run_id text not null,
      sensor_no int not null,
      samples bigint not null,
      first_t bigint not null,
      last_t bigint not null,
      at timestamptz not null default now()
    )
    """,
    "create index stream_lost_sensor on stream_lost (sensor_no)",
    """
    create table sensor_ledger (
      sensor_no int primary key,
      received bigint not null default 0,
      stored bigint not null default 0,
      duplicates bigint not null default 0,
      rejected bigint not null default 0,
      late bigint not null default 0,
      differing bigint not null default 0,
      high_water bigint,
      last_raw float8,
      last_physical float8,
      last_status smallint,
      last_received_at bigint,
      delay_us bigint
    ) with (fillfactor = 50)
    """,
    """
    create table telemetry_not_stored (
      id bigint generated always as identity primary key,
      sensor_no int not null,
      reason text not null,
      first_t bigint,
      last_t bigint,
      n int not null,
      t bigint[] not null,
      at timestamptz not null default now()
    )
    """,
    "create index telemetry_not_stored_sensor on telemetry_not_stored (sensor_no, first_t)",
    """
    create table sensor_packets (
      sensor_no int not null,
      boot text not null,
      seen int8multirange not null,
      primary key (sensor_no, boot)
    )
    """,
    """
    create table capture_late (
      id bigint generated always as identity primary key,
      capture_id uuid not null,
      sensor_no int not null,
      first_t bigint not null,
      last_t bigint not null,
      n int not null,
      at timestamptz not null default now()
    )
    """,
    "create index capture_late_capture on capture_late (capture_id, sensor_no)",
    """
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
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop view telemetry_record")
    for table in (
        "capture_late",
        "sensor_packets",
        "telemetry_not_stored",
        "sensor_ledger",
        "stream_lost",
        "stream_dead",
        "stream_life",
        "stream_shard",
        "telemetry_recent",
    ):
        op.drop_table(table)
    op.execute("drop function ensure_telemetry_day(bigint)")
    op.execute("drop sequence telemetry_chunk_no")
