"""Users, sessions, projects and the ledger of facts."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UP = (
    """
    create table app_user (
      id uuid primary key default gen_random_uuid(),
      email text not null,
      name text not null,
      password_hash text not null,
      created_at timestamptz not null default now()
    )
    """,
    "create unique index app_user_email on app_user (lower(email))",
    """
    create table refresh_token (
      id uuid primary key default gen_random_uuid(),
      family_id uuid not null,
      user_id uuid not null references app_user on delete cascade,
      digest bytea not null unique,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      spent_at timestamptz
    )
    """,
    "create index refresh_token_family on refresh_token (family_id)",
    "create index refresh_token_user on refresh_token (user_id)",
    """
    create table token_family_revoked (
      family_id uuid primary key,
      at timestamptz not null default now()
    )
    """,
    """
    create table project (
      id uuid primary key default gen_random_uuid(),
      name text not null,
      description text not null default '',
      raw_policy text not null default 'physical-only' check (raw_policy in ('open', 'physical-only')),
      created_at timestamptz not null default now()
    )
    """,
    """
    create table project_member (
      project_id uuid not null references project on delete cascade,
      user_id uuid not null references app_user on delete cascade,
      role text not null check (role in ('owner', 'editor', 'viewer')),
      created_at timestamptz not null default now(),
      primary key (project_id, user_id)
    )
    """,
    "create index project_member_user on project_member (user_id)",
    """
    create table fact (
      id bigint generated always as identity primary key,
      at timestamptz not null default clock_timestamp(),
      kind text not null,
      project_id uuid,
      subject_id uuid,
      principal_kind text,
      principal_id uuid,
      role text,
      address text,
      request_id text not null,
      details jsonb not null default '{}'
    )
    """,
    "create index fact_project on fact (project_id, id)",
    """
    create table idempotency_key (
      principal_id uuid not null,
      key text not null,
      fingerprint bytea not null,
      status int not null,
      answer bytea not null,
      created_at timestamptz not null default now(),
      primary key (principal_id, key)
    )
    """,
)

TABLES = (
    "idempotency_key",
    "fact",
    "project_member",
    "project",
    "token_family_revoked",
    "refresh_token",
    "app_user",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
