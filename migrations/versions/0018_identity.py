"""What tells vectors apart, in the chunks of their headlines; revisions in the views for people who write SQL."""

import importlib
from typing import Any

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SEALING: Any = importlib.import_module("migrations.versions.0010_sealing")

# Until now headlines stood for vectors, and of equal ones those that were received first. 0: its elements are gone.
NAME_VECTORS = """
with head as (
  select {key} as key, chunk.sensor_no, chunk.first_t, u.t, u.raw, u.place,
    row_number() over (partition by {owner}, chunk.sensor_no, u.t, u.raw order by {first}, chunk.chunk_no, u.place)
      as nth
  from {table} chunk
  join sensor on sensor.no = chunk.sensor_no and sensor.axis is not null
  cross join lateral (
    select chunk.first_t + {offset} as t, d.raw, d.place
    from unnest(chunk.{times}, chunk.raw) with ordinality as d (step, raw, place)
  ) as u
),
body as (
  select vector.sensor_no, vector.t, vector.identity, peak.raw,
    row_number() over (partition by vector.sensor_no, vector.t, peak.raw order by vector.received_at, vector.identity)
      as nth
  from telemetry_vector vector
  cross join lateral (select max(element) as raw from unnest(vector.raw) element) as peak
),
named as (
  select head.key, head.sensor_no, head.first_t,
    array_agg(coalesce(body.identity, 0) order by head.place) as identity
  from head
  left join body
    on body.sensor_no = head.sensor_no and body.t = head.t and body.raw = head.raw and body.nth = head.nth
  group by head.key, head.sensor_no, head.first_t
)
update {table} chunk
set identity = named.identity
from named
where {key} = named.key and chunk.sensor_no = named.sensor_no and chunk.first_t = named.first_t
"""

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
  case coalesce(get_byte(case when later.revision is null then k.status else later.status end, (u.place - 1)::int), 0)
    when 0 then 'ok' when 1 then 'out_of_range' when 2 then 'conversion_error' else 'no_profile'
  end as conversion_status,
  k.meta -> (u.place - 1)::text as metadata
from telemetry_captured k
join capture_session c on c.id = k.capture_id and c.status = 'sealed'
join sensor s on s.no = k.sensor_no
left join telemetry_revision later
  on later.capture_id = k.capture_id and later.sensor_no = k.sensor_no and later.chunk_no = k.chunk_no
  and later.revision = (
    select max(made.revision)
    from capture_revision made
    where made.capture_id = k.capture_id and made.sensor_no = k.sensor_no
  )
cross join lateral (
  select k.first_t + sum(d.t_delta) over (order by d.place) as t, d.raw, d.physical, d.place
  from unnest(k.t_delta, k.raw, coalesce(later.physical, k.physical))
    with ordinality as d (t_delta, raw, physical, place)
) as u
left join conversion_profile p on p.sensor_id = s.id and p.version = coalesce(later.profile_version, k.profile_version)
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
  select r.first_t + d.t_offset as t, d.raw, d.physical, d.identity, d.place
  from unnest(r.t_offset, r.raw, r.physical, r.identity)
    with ordinality as d (t_offset, raw, physical, identity, place)
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
  and not telemetry_is_captured(c.id, r.sensor_no, u.t, u.raw, u.identity)
)
"""

REVISIONS = """
create view telemetry_record_revision as
select
  s.id as sensor_id,
  c.run_id,
  c.id as capture_session_id,
  each.revision,
  timestamptz 'epoch' + u.t * interval '1 microsecond' as timestamp,
  u.raw as raw_value,
  nullif(u.physical, 'NaN'::float8) as processed_value,
  p.id as conversion_profile_id,
  case coalesce(get_byte(each.status, (u.place - 1)::int), 0)
    when 0 then 'ok' when 1 then 'out_of_range' when 2 then 'conversion_error' else 'no_profile'
  end as conversion_status,
  k.meta -> (u.place - 1)::text as metadata
from telemetry_captured k
join capture_session c on c.id = k.capture_id and c.status = 'sealed'
join sensor s on s.no = k.sensor_no
cross join lateral (
  select 1 as revision, k.physical, k.status, k.profile_version
  union all
  select later.revision, later.physical, later.status, later.profile_version
  from telemetry_revision later
  join capture_revision made
    on made.capture_id = later.capture_id and made.sensor_no = later.sensor_no and made.revision = later.revision
  where later.capture_id = k.capture_id and later.sensor_no = k.sensor_no and later.chunk_no = k.chunk_no
) as each
cross join lateral (
  select k.first_t + sum(d.t_delta) over (order by d.place) as t, d.raw, d.physical, d.place
  from unnest(k.t_delta, k.raw, each.physical) with ordinality as d (t_delta, raw, physical, place)
) as u
left join conversion_profile p on p.sensor_id = s.id and p.version = each.profile_version
"""

IS_CAPTURED = """
create function telemetry_is_captured(capture uuid, sensor int, at bigint, value float8, name bigint) returns boolean
language sql stable as $$
  select exists (
    select from telemetry_captured k
    cross join lateral (
      select k.first_t + sum(d.t_delta) over (order by d.place) as t, d.raw, d.identity
      from unnest(k.t_delta, k.raw, k.identity) with ordinality as d (t_delta, raw, identity, place)
    ) as u
    where k.capture_id = capture and k.sensor_no = sensor
      and k.first_t between at - 600000000 and at and k.last_t >= at
      and u.t = at and float8send(u.raw) = float8send(value) and u.identity is not distinct from name
  )
$$
"""

UP = (
    # Of each sample 64 bits of the hash of its vector's elements; null where samples are numbers.
    *(f"alter table {table} add column identity bigint[]" for table in ("telemetry_recent", "telemetry_captured")),
    *(
        f"alter table {table} alter column identity set storage external"
        for table in ("telemetry_recent", "telemetry_captured")
    ),
    NAME_VECTORS.format(
        table="telemetry_recent",
        key="chunk.chunk_no",
        owner="true",
        first="chunk.received_at",
        times="t_offset",
        offset="d.step",
    ),
    NAME_VECTORS.format(
        table="telemetry_captured",
        key="(chunk.capture_id, chunk.chunk_no)",
        owner="chunk.capture_id",
        first="chunk.seal",
        times="t_delta",
        offset="sum(d.step) over (order by d.place)",
    ),
    "drop view telemetry_record",
    "drop function telemetry_is_captured(uuid, int, bigint, float8)",
    IS_CAPTURED,
    VIEW,
    REVISIONS,
    # Of vectors `difference` tells of their headlines, and this of all their elements.
    "alter table backfill add column elements jsonb",
)

DOWN = (
    "alter table backfill drop column elements",
    "drop view telemetry_record_revision",
    "drop view telemetry_record",
    "drop function telemetry_is_captured(uuid, int, bigint, float8, bigint)",
    next(statement for statement in SEALING.UP if "create function telemetry_is_captured" in statement),
    SEALING.VIEW,
    "alter table telemetry_captured drop column identity",
    "alter table telemetry_recent drop column identity",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
