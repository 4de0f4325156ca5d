"""How many shards there are is seen by every process at once, and shards can be closed while their number changes."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UP = (
    "alter table stream_shard add column closed boolean not null default false",
    """
    create trigger stream_shard_registry
    after insert or delete or update of closed
    on stream_shard for each statement execute function registry_changed()
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop trigger stream_shard_registry on stream_shard")
    op.execute("alter table stream_shard drop column closed")
