"""Facts linked into a chain, and a role for the hub that cannot change them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = (
    "alter table fact add column user_agent text, add column credential_id uuid",
    # Each link's hash covers the one before it and every column of its fact.
    """
    create table fact_link (
      seq bigint primary key,
      fact_id bigint not null unique,
      hash bytea not null,
      linked_at timestamptz not null default clock_timestamp()
    )
    """,
    # Facts that are not linked yet. A fact stands here in its own transaction: one that commits late comes late.
    "create table fact_waiting (fact_id bigint primary key)",
    "insert into fact_waiting (fact_id) select id from fact",
    """
    create function fact_waits() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      insert into fact_waiting (fact_id) values (new.id);
      return null;
    end
    $$
    """,
    "create trigger fact_waits after insert on fact for each row execute function fact_waits()",
    # What was pruned: the link that the oldest one left continues from.
    """
    create table fact_anchor (
      seq bigint primary key,
      hash bytea not null,
      facts bigint not null,
      pruned_at timestamptz not null default clock_timestamp()
    )
    """,
    """
    create function facts_stay() returns trigger language plpgsql as $$
    begin
      raise exception 'facts are written once' using errcode = 'insufficient_privilege';
    end
    $$
    """,
    "create trigger fact_stays before update or truncate on fact execute function facts_stay()",
    "create trigger fact_link_stays before update or truncate on fact_link execute function facts_stay()",
    """
    create trigger fact_anchor_stays before update or delete or truncate on fact_anchor execute function facts_stay()
    """,
    # Facts go only behind an anchor, and an anchor may stand only behind a stretch that is older than a year.
    """
    create function fact_anchor_is_old() returns trigger language plpgsql as $$
    begin
      if not exists (select from fact_link where seq = new.seq and hash = new.hash) or exists (
        select from fact_link link
        join fact on fact.id = link.fact_id
        where link.seq <= new.seq and fact.at > now() - interval '366 days'
      ) then
        raise exception 'an anchor stands for linked facts that are older than 366 days'
          using errcode = 'insufficient_privilege';
      end if;
      return new;
    end
    $$
    """,
    """
    create trigger fact_anchor_is_old before insert on fact_anchor
    for each row execute function fact_anchor_is_old()
    """,
    """
    create function only_anchored_facts_go() returns trigger language plpgsql as $$
    begin
      if exists (
        select from gone
        left join fact_link link on link.fact_id = gone.id
        where link.seq is null or link.seq > coalesce((select max(seq) from fact_anchor), 0)
      ) then
        raise exception 'facts are kept' using errcode = 'insufficient_privilege';
      end if;
      return null;
    end
    $$
    """,
    """
    create trigger fact_is_kept after delete on fact referencing old table as gone
    for each statement execute function only_anchored_facts_go()
    """,
    """
    create function only_anchored_links_go() returns trigger language plpgsql as $$
    begin
      if exists (select from gone where seq > coalesce((select max(seq) from fact_anchor), 0)) then
        raise exception 'links are kept' using errcode = 'insufficient_privilege';
      end if;
      return null;
    end
    $$
    """,
    """
    create trigger fact_link_is_kept after delete on fact_link referencing old table as gone
    for each statement execute function only_anchored_links_go()
    """,
    # For the filters of a project's trail, each with the newest first.
    "drop index fact_project",
    "create index fact_project on fact (project_id, at, id)",
    "create index fact_kind on fact (project_id, kind text_pattern_ops, at)",
    "create index fact_subject on fact (project_id, subject_id, at)",
    "create index fact_principal on fact (project_id, principal_id, at)",
    "create index fact_account on fact (coalesce(principal_id, subject_id), at) where project_id is null",
    # Roles belong to the whole server: another database's migration may have made it, or be making it right now.
    """
    do $$
    begin
      create role etp_app nologin;
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        if not exists (select from pg_roles where rolname = 'etp_app') then
          raise exception 'this login may not create the role etp_app'
            using hint = 'As a superuser: create role etp_app nologin; grant etp_app to the login that migrates';
        end if;
    end
    $$
    """,
    # Since PostgreSQL 16 whoever created a role is a member of it without being able to assume it.
    """
    do $$
    declare
      version constant int := current_setting('server_version_num');
      needed constant text := case when version >= 160000 then 'set' else 'member' end;
    begin
      if not pg_has_role(current_user, 'etp_app', needed) then
        grant etp_app to current_user;
      end if;
    exception
      when unique_violation then null;
    end
    $$
    """,
    "grant usage on schema public to etp_app",
    "grant select, insert, update, delete on all tables in schema public to etp_app",
    "grant usage on all sequences in schema public to etp_app",
    "grant execute on all functions in schema public to etp_app",
    "alter default privileges in schema public grant select, insert, update, delete on tables to etp_app",
    "alter default privileges in schema public grant usage on sequences to etp_app",
    "alter default privileges in schema public grant execute on functions to etp_app",
    "revoke all on fact, fact_link, fact_anchor from etp_app",
    # Neither id nor time are the hub's to choose.
    """
    grant
      select,
      insert (kind, project_id, subject_id, principal_kind, principal_id, role, address, user_agent, credential_id,
        request_id, details)
    on fact to etp_app
    """,
    "grant select, insert on fact_link to etp_app",
    "grant select on fact_anchor to etp_app",
    # The hub's role creates no tables itself.
    "alter function ensure_telemetry_day(bigint) security definer set search_path = public, pg_temp",
    "revoke execute on function ensure_telemetry_day(bigint) from public",
)

# The role stays: other databases of the server may use it.
DOWN = (
    "alter function ensure_telemetry_day(bigint) security invoker reset search_path",
    "grant execute on function ensure_telemetry_day(bigint) to public",
    "alter default privileges in schema public revoke all on tables from etp_app",
    "alter default privileges in schema public revoke all on sequences from etp_app",
    "alter default privileges in schema public revoke all on functions from etp_app",
    "revoke all on all tables in schema public from etp_app",
    "revoke all on all sequences in schema public from etp_app",
    "revoke all on all functions in schema public from etp_app",
    "revoke all on schema public from etp_app",
    "drop trigger fact_waits on fact",
    "drop trigger fact_stays on fact",
    "drop trigger fact_is_kept on fact",
    "drop table fact_anchor",
    "drop table fact_waiting",
    "drop table fact_link",
    "drop function fact_waits()",
    "drop function facts_stay()",
    "drop function fact_anchor_is_old()",
    "drop function only_anchored_facts_go()",
    "drop function only_anchored_links_go()",
    "drop index fact_account",
    "drop index fact_principal",
    "drop index fact_subject",
    "drop index fact_kind",
    "drop index fact_project",
    "create index fact_project on fact (project_id, id)",
    "alter table fact drop column credential_id, drop column user_agent",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
