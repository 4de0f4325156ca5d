"""Which reports of unreadable messages were noted, so that none counts twice."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UP = (
    """
    create table edge_unreadable (
      report_id uuid primary key,
      agent_id uuid not null,
      at timestamptz not null default now()
    )
    """,
    "create index edge_unreadable_at on edge_unreadable (at)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("edge_unreadable")
