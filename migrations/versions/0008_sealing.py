"""Sealed captures: their own copies of the samples, manifests of each seal, and the work that leads there."""

from alembic import op

revision = "0008"
down_revision = "0007"
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
    "revoke update, delete on telemetry_captured, capture_seal, capture_manifest from etp_app",
    "revoke update on telemetry_revision, capture_revision from etp_app",
)

DOWN = (
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
