"""Data keys, sealed profile payloads, and tokens that overlap when they are rotated."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UP = (
    """
    create table data_key (
      id int primary key check (id > 0),
      purpose text not null check (purpose in ('sign', 'lookup', 'headless', 'seal')),
      wrapped bytea not null,
      created_at timestamptz not null default now()
    )
    """,
    "create unique index data_key_purpose on data_key (purpose) where purpose <> 'seal'",
    # A hub makes the first ones; to lose or change one is to lose all that it sealed.
    "revoke update, delete on data_key from etp_app",
    # What stands in the clear is sealed by `etp migrate` right after this: SQL has no keys.
    """
    alter table conversion_profile
      alter column payload drop not null,
      add column payload_sealed bytea,
      add check (num_nonnulls(payload, payload_sealed) = 1)
    """,
    """
    alter table sensor
      add column old_token_digest bytea unique,
      add column old_token_until timestamptz,
      add check ((old_token_digest is null) = (old_token_until is null))
    """,
    """
    alter table edge_agent
      add column old_token_digest bytea unique,
      add column old_token_until timestamptz,
      add check ((old_token_digest is null) = (old_token_until is null))
    """,
    "drop trigger sensor_registry on sensor",
    """
    create trigger sensor_registry
    after insert or delete
      or update of project_id, agent_id, token_digest, old_token_digest, old_token_until, deleted_at
    on sensor for each statement execute function registry_changed()
    """,
)

DOWN = (
    # Nothing before this knows data keys: what was sealed with one could never be opened again.
    r"""
    do $$
    begin
      if exists (select from conversion_profile where payload_sealed is not null)
        or exists (select from sensor where substr(token_sealed, 1, 4) = '\x65747001')
        or exists (select from app_user where substr(otp_sealed, 1, 4) = '\x65747001')
      then
        raise exception 'secrets are sealed with data keys, which older versions cannot open: restore a backup instead';
      end if;
    end
    $$
    """,
    r"delete from letter where substr(sealed, 1, 4) = '\x65747001'",
    r"delete from idempotency_key where substr(answer, 1, 4) = '\x65747001'",
    "drop trigger sensor_registry on sensor",
    """
    create trigger sensor_registry
    after insert or delete or update of project_id, agent_id, token_digest, deleted_at
    on sensor for each statement execute function registry_changed()
    """,
    "alter table edge_agent drop column old_token_digest, drop column old_token_until",
    "alter table sensor drop column old_token_digest, drop column old_token_until",
    """
    alter table conversion_profile
      drop column payload_sealed,
      alter column payload set not null
    """,
    "drop table data_key",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
