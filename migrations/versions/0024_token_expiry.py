"""Sensor tokens that end by themselves."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

REGISTRY = """
  create trigger sensor_registry
  after insert or delete or update of {columns}
  on sensor for each statement execute function registry_changed()
"""
BEFORE = (
    "project_id, agent_id, token_digest, old_token_digest, old_token_until, deleted_at,"
    " requests_per_s, requests_burst, samples_per_s, time_source"
)


def upgrade() -> None:
    # Null: the token is good until it is rotated.
    op.execute("alter table sensor add column token_expires_at timestamptz")
    op.execute("drop trigger sensor_registry on sensor")
    op.execute(REGISTRY.format(columns=f"{BEFORE}, token_expires_at"))


def downgrade() -> None:
    # Older versions know an end of old tokens only: it becomes one, and nobody has the token that follows it.
    op.execute(
        r"""
        update sensor
        set old_token_digest = token_digest, old_broker_hash = broker_hash, old_token_until = token_expires_at,
          token_digest = sha256(gen_random_uuid()::text::bytea),
          broker_hash = regexp_replace(
            broker_hash, '[^$]+$', translate(encode(sha512(gen_random_uuid()::text::bytea), 'base64'), E'\n', '')
          )
        where token_expires_at is not null
        """
    )
    op.execute("drop trigger sensor_registry on sensor")
    op.execute(REGISTRY.format(columns=BEFORE))
    op.execute("alter table sensor drop column token_expires_at")
