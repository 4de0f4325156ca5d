"""The journal of each sensor: a row for each kind of trouble and minute."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Without a foreign key, as all that is written on the way of samples: what happened is noted, whatever became of it.
UP = (
    """
    create table sensor_journal (
      id uuid primary key default gen_random_uuid(),
      sensor_no int not null,
      kind text not null,
      minute timestamptz not null,
      first_at timestamptz not null,
      last_at timestamptz not null,
      count bigint not null check (count > 0),
      codes jsonb not null default '{}',
      details jsonb not null default '{}',
      unique (sensor_no, kind, minute)
    ) with (fillfactor = 80)
    """,
    "create index sensor_journal_newest on sensor_journal (sensor_no, first_at desc, id desc)",
    "create index sensor_journal_oldest on sensor_journal (first_at)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("sensor_journal")
