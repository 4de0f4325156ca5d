"""Channels of foreign devices: which sensor each one is, and the samples of those that are proposals yet."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UP = (
    # Whose token the channels come by. Its row is locked whenever its channels change, and `version` moves.
    """
    create table channel_source (
      id uuid primary key,
      project_id uuid not null references project on delete cascade,
      agent_id uuid unique references edge_agent on delete cascade,
      sensor_id uuid unique references sensor on delete cascade,
      version bigint not null default 1,
      held_bytes bigint not null default 0,
      full_noted_at timestamptz,
      check (num_nonnulls(agent_id, sensor_id) = 1 and id = coalesce(agent_id, sensor_id))
    )
    """,
    "create index channel_source_project on channel_source (project_id)",
    # Names are as long as their senders like: the digest of format, name and unit tells channels apart.
    """
    create table channel (
      id uuid primary key default gen_random_uuid(),
      source_id uuid not null references channel_source on delete cascade,
      digest bytea not null,
      format text not null,
      name text not null,
      unit text not null,
      state text not null check (state in ('proposed', 'bound', 'ignored')),
      sensor_id uuid references sensor on delete cascade,
      first_seen timestamptz not null default clock_timestamp(),
      last_seen timestamptz not null default clock_timestamp(),
      samples bigint not null default 0,
      expired bigint not null default 0,
      last_raw float8,
      unique (source_id, digest),
      check ((state = 'bound') = (sensor_id is not null))
    )
    """,
    "create index channel_sensor on channel (sensor_id)",
    # The columns are int64 µs and float64, little endian, as they came.
    """
    create table channel_held (
      id bigint generated always as identity primary key,
      source_id uuid not null references channel_source on delete cascade,
      channel_id uuid not null references channel on delete cascade,
      held_at timestamptz not null default clock_timestamp(),
      samples int not null,
      bytes int not null,
      t_us bytea not null,
      raw bytea not null
    )
    """,
    "create index channel_held_channel on channel_held (channel_id, id)",
    "create index channel_held_source on channel_held (source_id, id)",
    "create index channel_held_at on channel_held (held_at)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for table in ("channel_held", "channel", "channel_source"):
        op.drop_table(table)
