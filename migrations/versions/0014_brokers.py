"""What edge agents had to drop, and tokens as a Mosquitto broker keeps them."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UP = (
    """
    create table edge_dropped (
      report_id uuid not null,
      sensor_no int not null,
      agent_id uuid not null,
      samples bigint not null check (samples > 0),
      first_t bigint not null,
      last_t bigint not null,
      at timestamptz not null default now(),
      primary key (report_id, sensor_no)
    )
    """,
    "create index edge_dropped_sensor on edge_dropped (sensor_no)",
    # Null for a token from before; a sensor's is filled in from the sealed one, an edge agent's when it is rotated.
    "alter table sensor add column broker_hash text, add column old_broker_hash text",
    "alter table edge_agent add column broker_hash text, add column old_broker_hash text",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table edge_agent drop column broker_hash, drop column old_broker_hash")
    op.execute("alter table sensor drop column broker_hash, drop column old_broker_hash")
    op.drop_table("edge_dropped")
