"""The one rule of whether a sensor is heard."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create function sensor_state(heard_at timestamptz, heartbeat_interval_s float8) returns text
        language sql stable as $$
          select case
            when heard_at is null then 'unknown'
            when statement_timestamp() - heard_at > 5 * heartbeat_interval_s * interval '1 second' then 'offline'
            when statement_timestamp() - heard_at > 2 * heartbeat_interval_s * interval '1 second' then 'delayed'
            else 'online'
          end
        $$
        """
    )


def downgrade() -> None:
    op.execute("drop function sensor_state(timestamptz, float8)")
