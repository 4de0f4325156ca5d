"""Backfills: jobs that convert a sealed capture's series anew into a revision of its own."""

import importlib

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As 0007 made it.
SENSOR_IS_FREE: str = next(
    text
    for text in importlib.import_module("migrations.versions.0007_integrity").FUNCTIONS
    if "function sensor_is_free()" in text
).replace("create function", "create or replace function")

BACKFILLS_HOLD = """
        union all
        select 3, experiment.name, run.number, capture.ordinal_number,
          format('backfill of capture %s of run %s of %s (%s)', capture.ordinal_number, run.number, experiment.name,
            backfill.status)
        from backfill
        join capture_session capture on capture.id = backfill.capture_id
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where backfill.sensor_id = old.id and backfill.status in ('waiting', 'running')
      ) as held (place, experiment, number, ordinal, holder);"""

UP = (
    # Steps are transactions that hold the job's row: killed, another worker goes on behind `next_chunk`. Revisions
    # are numbered by capture; a capture's jobs are done in their order, so that a revision never changes once it is
    # there. `difference` tells what the job changed so far.
    """
    create table backfill (
      id uuid primary key default gen_random_uuid(),
      project_id uuid not null references project,
      capture_id uuid not null references capture_session,
      sensor_id uuid not null references sensor,
      sensor_no int not null,
      profile_id uuid not null references conversion_profile,
      profile_version int not null,
      revision int not null check (revision > 1),
      status text not null default 'waiting'
        check (status in ('waiting', 'running', 'finished', 'cancelled', 'failed')),
      next_chunk int not null default 0,
      samples bigint,
      done bigint not null default 0,
      difference jsonb,
      requested_by uuid not null references app_user,
      created_at timestamptz not null default clock_timestamp(),
      started_at timestamptz,
      ended_at timestamptz,
      failures int not null default 0,
      not_before timestamptz not null default clock_timestamp(),
      error text,
      unique (capture_id, revision)
    )
    """,
    "create index backfill_project on backfill (project_id, created_at desc, id desc)",
    "create index backfill_unfinished on backfill (created_at) where status in ('waiting', 'running')",
    "create index backfill_undone on backfill (id) where status in ('cancelled', 'failed') and next_chunk > 0",
    "create index backfill_sensor on backfill (sensor_id) where status in ('waiting', 'running')",
    """
    create unique index backfill_once on backfill (capture_id, profile_id) where status in ('waiting', 'running')
    """,
    # Numbers hardly shrink, and trying costs more than what is written.
    "alter table telemetry_revision alter column physical set storage external",
    """
    create trigger backfill_moves before update of status on backfill
    for each row when (old.status <> new.status and (old.status, new.status) not in (
      ('waiting', 'running'), ('waiting', 'cancelled'), ('waiting', 'failed'),
      ('running', 'finished'), ('running', 'cancelled'), ('running', 'failed')
    ))
    execute function refused('backfill_status')
    """,
    # I-1: it locks the sensor `for key share`, as binding does.
    """
    create trigger backfill_sensor_there before insert on backfill
    for each row execute function sensor_is_there()
    """,
    SENSOR_IS_FREE.replace("\n      ) as held (place, experiment, number, ordinal, holder);", BACKFILLS_HOLD),
)

DOWN = (
    SENSOR_IS_FREE,
    "alter table telemetry_revision alter column physical set storage extended",
    "drop table backfill",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
