"""Sensors with their profiles, edge agents, experiments, runs and capture sessions."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UP = (
    """
    create table edge_agent (
      id uuid primary key default gen_random_uuid(),
      project_id uuid not null references project on delete cascade,
      name text not null,
      token_digest bytea not null unique,
      is_default boolean not null default false,
      created_at timestamptz not null default now(),
      unique (project_id, name)
    )
    """,
    "create unique index edge_agent_default on edge_agent (project_id) where is_default",
    """
    create table sensor (
      id uuid primary key default gen_random_uuid(),
      no int generated always as identity unique,
      project_id uuid not null references project,
      agent_id uuid references edge_agent on delete set null,
      name text not null,
      type text not null,
      input_unit text not null,
      display_unit text not null,
      token_digest bytea not null unique,
      token_sealed bytea not null,
      heartbeat_interval_s double precision not null default 10 check (heartbeat_interval_s > 0),
      calibration_notes text not null default '',
      last_heartbeat timestamptz,
      created_at timestamptz not null default now(),
      deleted_at timestamptz
    )
    """,
    "create unique index sensor_name on sensor (project_id, name) where deleted_at is null",
    """
    create table conversion_profile (
      id uuid primary key default gen_random_uuid(),
      sensor_id uuid not null references sensor,
      version int not null check (version > 0),
      kind text not null,
      payload jsonb not null,
      status text not null check (status in ('draft', 'scheduled', 'active', 'deprecated')),
      valid_from timestamptz,
      valid_to timestamptz,
      created_by uuid,
      created_at timestamptz not null default now(),
      unique (sensor_id, version)
    )
    """,
    """
    create table registry_version (
      one boolean primary key default true check (one),
      version bigint not null
    )
    """,
    "insert into registry_version (version) values (1)",
    """
    create function registry_changed() returns trigger language plpgsql as $$
    begin
      update registry_version set version = version + 1;
      return null;
    end
    $$
    """,
    """
    create trigger sensor_registry
    after insert or delete or update of project_id, agent_id, token_digest, deleted_at
    on sensor for each statement execute function registry_changed()
    """,
    """
    create trigger edge_agent_registry after insert or update or delete
    on edge_agent for each statement execute function registry_changed()
    """,
    """
    create trigger conversion_profile_registry after insert or update or delete
    on conversion_profile for each statement execute function registry_changed()
    """,
    """
    create table experiment (
      id uuid primary key default gen_random_uuid(),
      project_id uuid not null references project,
      name text not null,
      description text not null default '',
      tags text[] not null default '{}',
      owner_id uuid not null references app_user,
      status text not null default 'draft'
        check (status in ('draft', 'running', 'succeeded', 'failed', 'archived')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )
    """,
    "create index experiment_project on experiment (project_id, created_at desc, id desc)",
    """
    create table run (
      id uuid primary key default gen_random_uuid(),
      experiment_id uuid not null references experiment,
      number int not null,
      name text not null,
      params jsonb not null default '{}',
      config jsonb not null default '{}',
      git_sha text,
      environment jsonb not null default '{}',
      status text not null default 'draft'
        check (status in ('draft', 'scheduled', 'running', 'failed', 'succeeded', 'archived')),
      started_at timestamptz,
      finished_at timestamptz,
      captures_made int not null default 0,
      created_at timestamptz not null default now(),
      unique (experiment_id, number)
    )
    """,
    """
    create table run_sensor (
      run_id uuid not null references run on delete cascade,
      sensor_id uuid not null references sensor,
      mode text not null default 'record' check (mode in ('record', 'monitor')),
      place int not null,
      primary key (run_id, sensor_id)
    )
    """,
    "create index run_sensor_sensor on run_sensor (sensor_id)",
    """
    create table capture_session (
      id uuid primary key default gen_random_uuid(),
      run_id uuid not null references run,
      ordinal_number int not null,
      status text not null default 'draft' check (status in ('draft', 'running', 'finished', 'sealed', 'failed')),
      archived boolean not null default false,
      duration_s double precision check (duration_s > 0),
      pre_roll_s double precision not null default 0 check (pre_roll_s >= 0),
      started_at timestamptz,
      auto_stop_at timestamptz,
      stopped_at timestamptz,
      initiated_by uuid not null references app_user,
      initiated_role text not null check (initiated_role in ('owner', 'editor', 'viewer')),
      notes text not null default '',
      created_at timestamptz not null default now(),
      unique (run_id, ordinal_number),
      check (stopped_at >= started_at)
    )
    """,
    "create index capture_session_stopped on capture_session (stopped_at)",
    "create index capture_session_open on capture_session (status, auto_stop_at) where status = 'running'",
    """
    create table capture_sensor (
      capture_id uuid not null references capture_session on delete cascade,
      sensor_id uuid not null references sensor,
      sensor_no int not null,
      place int not null,
      primary key (capture_id, sensor_id)
    )
    """,
    "create index capture_sensor_no on capture_sensor (sensor_no)",
)

TABLES = (
    "capture_sensor",
    "capture_session",
    "run_sensor",
    "run",
    "experiment",
    "registry_version",
    "conversion_profile",
    "sensor",
    "edge_agent",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("drop function registry_changed()")
