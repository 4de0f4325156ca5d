"""Sessions, second factors, invites, personal tokens, mail, and the version that access is remembered under."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = (
    """
    alter table app_user
      add column disabled_at timestamptz,
      add column password_changed_at timestamptz not null default now(),
      add column otp_sealed bytea,
      add column otp_confirmed_at timestamptz,
      add column otp_last_step bigint not null default 0
    """,
    # A session is the family of its refresh tokens. Ended ones are the deny list: no token of theirs is good.
    """
    create table session (
      id uuid primary key,
      user_id uuid not null references app_user on delete cascade,
      client text not null check (client in ('browser', 'script')),
      address text,
      user_agent text,
      created_at timestamptz not null default now(),
      last_used_at timestamptz not null default now(),
      expires_at timestamptz not null,
      ended_at timestamptz,
      ended_because text check (
        ended_because in ('logout', 'everywhere', 'reuse', 'password', 'mfa', 'revoked', 'operator', 'disabled')
      ),
      check ((ended_at is null) = (ended_because is null))
    )
    """,
    """
    insert into session (id, user_id, client, created_at, last_used_at, expires_at, ended_at, ended_because)
    select t.family_id, t.user_id, 'script', min(t.created_at), max(t.created_at), max(t.expires_at),
      min(r.at), case when min(r.at) is not null then 'revoked' end
    from refresh_token t
    left join token_family_revoked r on r.family_id = t.family_id
    group by t.family_id, t.user_id
    """,
    "create index session_of_user on session (user_id, created_at desc)",
    "alter table refresh_token rename column family_id to session_id",
    "alter table refresh_token add foreign key (session_id) references session on delete cascade",
    "alter table refresh_token drop column user_id",
    "drop table token_family_revoked",
    """
    create table recovery_code (
      user_id uuid not null references app_user on delete cascade,
      digest bytea not null,
      used_at timestamptz,
      primary key (user_id, digest)
    )
    """,
    """
    create table password_reset (
      digest bytea primary key,
      user_id uuid not null references app_user on delete cascade,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      used_at timestamptz
    )
    """,
    "create index password_reset_user on password_reset (user_id)",
    "alter table project add column deleted_at timestamptz",
    """
    create table personal_token (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references app_user on delete cascade,
      project_id uuid references project on delete cascade,
      name text not null,
      digest bytea not null unique,
      scope text not null check (scope in ('read', 'write', 'admin')),
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      last_used_at timestamptz,
      revoked_at timestamptz
    )
    """,
    "create index personal_token_user on personal_token (user_id, created_at desc)",
    """
    create table invite (
      id uuid primary key default gen_random_uuid(),
      digest bytea not null unique,
      project_id uuid references project on delete cascade,
      role text check (role in ('owner', 'editor', 'viewer')),
      note text not null default '',
      max_uses int not null default 1 check (max_uses between 1 and 1000),
      uses int not null default 0 check (uses between 0 and max_uses),
      created_by uuid references app_user on delete set null,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      revoked_at timestamptz,
      check ((project_id is null) = (role is null))
    )
    """,
    "create index invite_project on invite (project_id, created_at desc)",
    # Letters hold links that open accounts: they are sealed, and gone once they are sent.
    """
    create table letter (
      id bigint generated always as identity primary key,
      sealed bytea not null,
      attempts int not null default 0,
      next_at timestamptz not null default now(),
      created_at timestamptz not null default now()
    )
    """,
    "create index letter_next on letter (next_at)",
    """
    create table access_version (
      one boolean primary key default true check (one),
      version bigint not null
    )
    """,
    "insert into access_version (version) values (1)",
    """
    create function access_changed() returns trigger language plpgsql as $$
    begin
      update access_version set version = version + 1;
      return null;
    end
    $$
    """,
    # Deferred to the commit, so that the one row is locked for a moment only and can take part in no deadlock.
    """
    create constraint trigger project_member_access after insert or update or delete on project_member
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger project_access after update of raw_policy, deleted_at or delete on project
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger session_access after update of ended_at or delete on session
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger personal_token_access after update of revoked_at or delete on personal_token
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger app_user_access after update of disabled_at or delete on app_user
    deferrable initially deferred for each row execute function access_changed()
    """,
    # What a thing's project is, is remembered too: until the thing goes.
    """
    create constraint trigger sensor_access after update of deleted_at or delete on sensor
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger edge_agent_access after delete on edge_agent
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger experiment_access after delete on experiment
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger run_access after delete on run
    deferrable initially deferred for each row execute function access_changed()
    """,
    """
    create constraint trigger capture_session_access after delete on capture_session
    deferrable initially deferred for each row execute function access_changed()
    """,
    # The last owner of a project cannot leave: whoever changes its owners waits for the project's row first.
    """
    create function project_keeps_an_owner() returns trigger language plpgsql as $$
    begin
      if old.role = 'owner' and (tg_op = 'DELETE' or new.role <> 'owner') then
        perform from project where id = old.project_id and deleted_at is null for update;
        if found and not exists (select from project_member where project_id = old.project_id and role = 'owner') then
          raise exception 'a project keeps an owner'
            using errcode = 'check_violation', constraint = 'project_keeps_an_owner';
        end if;
      end if;
      return null;
    end
    $$
    """,
    """
    create trigger project_member_owner after update or delete on project_member
    for each row execute function project_keeps_an_owner()
    """,
    # A project that records is not deleted. Start holds the project's row, so that either it sees the project deleted
    # or the deletion, which waits for that row, sees the capture running.
    """
    create function project_is_idle() returns trigger language plpgsql as $$
    begin
      if new.deleted_at is not null and old.deleted_at is null and exists (
        select from capture_session capture
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where experiment.project_id = new.id and capture.status = 'running'
      ) then
        raise exception 'the project records' using errcode = 'check_violation',
          constraint = 'project_is_idle', detail = '{"holders": "a capture that has just begun"}';
      end if;
      return null;
    end
    $$
    """,
    """
    create trigger project_idle after update of deleted_at on project
    for each row execute function project_is_idle()
    """,
    """
    create function project_is_there() returns trigger language plpgsql as $$
    begin
      if new.status = 'running' then
        perform from project
        join experiment on experiment.project_id = project.id
        join run on run.experiment_id = experiment.id
        where run.id = new.run_id and project.deleted_at is null
        for share of project;
        if not found then
          raise exception 'the project is gone' using errcode = 'check_violation', constraint = 'project_is_there';
        end if;
      end if;
      return null;
    end
    $$
    """,
    """
    create trigger capture_session_project after insert or update of status on capture_session
    for each row execute function project_is_there()
    """,
    """
    create trigger project_registry after update of deleted_at
    on project for each statement execute function registry_changed()
    """,
)

DOWN = (
    "drop trigger project_registry on project",
    "drop trigger capture_session_project on capture_session",
    "drop function project_is_there()",
    "drop trigger project_idle on project",
    "drop function project_is_idle()",
    "drop trigger project_member_owner on project_member",
    "drop function project_keeps_an_owner()",
    "drop trigger capture_session_access on capture_session",
    "drop trigger run_access on run",
    "drop trigger experiment_access on experiment",
    "drop trigger edge_agent_access on edge_agent",
    "drop trigger sensor_access on sensor",
    "drop trigger app_user_access on app_user",
    "drop trigger project_access on project",
    "drop trigger project_member_access on project_member",
    "drop table letter",
    "drop table invite",
    "drop table personal_token",
    "drop table password_reset",
    "drop table recovery_code",
    "create table token_family_revoked (family_id uuid primary key, at timestamptz not null default now())",
    "insert into token_family_revoked (family_id, at) select id, ended_at from session where ended_at is not null",
    "alter table refresh_token add column user_id uuid references app_user on delete cascade",
    "update refresh_token t set user_id = s.user_id from session s where s.id = t.session_id",
    "alter table refresh_token alter column user_id set not null",
    "create index refresh_token_user on refresh_token (user_id)",
    "alter table refresh_token drop constraint refresh_token_session_id_fkey",
    "alter table refresh_token rename column session_id to family_id",
    "drop table session",
    "drop function access_changed()",
    "drop table access_version",
    "alter table project drop column deleted_at",
    """
    alter table app_user
      drop column disabled_at,
      drop column password_changed_at,
      drop column otp_sealed,
      drop column otp_confirmed_at,
      drop column otp_last_step
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
