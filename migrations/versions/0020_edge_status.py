"""What each instance of an edge agent last told about itself."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Beside the agents, whose rows tell every ingest process to read its registry anew when they change.
UP = """
    create table edge_status (
      agent_id uuid not null references edge_agent on delete cascade,
      instance smallint not null,
      told_at timestamptz not null default clock_timestamp(),
      report jsonb not null,
      primary key (agent_id, instance)
    ) with (fillfactor = 80)
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.drop_table("edge_status")
