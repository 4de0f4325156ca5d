"""Packet numbers counted in the ledger of their sensor, with when a packet without one last came."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UP = (
    # When a packet without a number last came is null for what was booked before: nothing tells it afterwards.
    """
    alter table sensor_ledger
      add column packets_sent bigint not null default 0,
      add column packets_seen bigint not null default 0,
      add column unnumbered_at bigint
    """,
    """
    update sensor_ledger set packets_sent = packets.sent, packets_seen = packets.seen
    from (
      select sensor_no, sum(upper(seen) - lower(seen))::bigint as sent,
        sum((select sum(upper(part) - lower(part)) from unnest(seen) part))::bigint as seen
      from sensor_packets
      group by sensor_no
    ) packets
    where packets.sensor_no = sensor_ledger.sensor_no
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "alter table sensor_ledger drop column packets_sent, drop column packets_seen, drop column unnumbered_at"
    )
