"""Limits of each token, who sets the time of samples, and how far each device's clock is off."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

REGISTRY = """
  create trigger sensor_registry
  after insert or delete or update of {columns}
  on sensor for each statement execute function registry_changed()
"""
BEFORE = "project_id, agent_id, token_digest, old_token_digest, old_token_until, deleted_at"
AFTER = f"{BEFORE}, requests_per_s, requests_burst, samples_per_s, time_source"

UP = (
    """
    alter table sensor
      add column requests_per_s float8 not null default 0.1 check (requests_per_s > 0),
      add column requests_burst int not null default 10 check (requests_burst > 0),
      add column samples_per_s float8 not null default 10000 check (samples_per_s > 0),
      add column time_source text not null default 'device' check (time_source in ('device', 'arrival'))
    """,
    "alter table edge_agent add column samples_per_s float8 not null default 100000 check (samples_per_s > 0)",
    "drop trigger sensor_registry on sensor",
    REGISTRY.format(columns=AFTER),
    # The least delay (µs) of the window of time that began at clock_since (µs since 1970), and of the one before it.
    """
    alter table sensor_ledger
      add column clock_low bigint,
      add column clock_low_before bigint,
      add column clock_since bigint
    """,
)
DOWN = (
    "alter table sensor_ledger drop column clock_low, drop column clock_low_before, drop column clock_since",
    "drop trigger sensor_registry on sensor",
    "alter table edge_agent drop column samples_per_s",
    """
    alter table sensor
      drop column requests_per_s, drop column requests_burst, drop column samples_per_s, drop column time_source
    """,
    REGISTRY.format(columns=BEFORE),
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
