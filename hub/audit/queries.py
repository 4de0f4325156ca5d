"""SQL of reading facts."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hub.kit.db import Tx


async def plan_for_arguments(tx: Tx) -> None:
    """Let this transaction's statements be planned for the filters that are given, so that each uses its index."""
    await tx.execute("select set_config('plan_cache_mode', 'force_custom_plan', true)")


async def of_project(
    tx: Tx,
    *,
    project_id: UUID,
    kinds: str | None,
    user_id: UUID | None,
    subject_id: UUID | None,
    from_at: datetime | None,
    to_at: datetime | None,
    q: str | None,
    before_at: datetime,
    before_id: int,
    limit: int,
) -> list[asyncpg.Record]:
    """List a project's facts, the newest first, after the given position; `kinds` is a pattern of LIKE."""
    return await tx.fetch(
        """
        select fact.id, fact.at, fact.kind, fact.subject_id, fact.principal_kind, fact.role, fact.address,
          fact.user_agent, fact.request_id, fact.credential_id, fact.details,
          actor.id as user_id, actor.name as user_name, actor.email as user_email,
          exists (select from fact_link where fact_id = fact.id) as linked
        from fact
        left join app_user actor on actor.id = fact.principal_id and fact.principal_kind = 'user'
        where fact.project_id = $1
          and (fact.at, fact.id) < ($2, $3)
          and ($4::text is null or fact.kind like $4)
          and ($5::uuid is null or fact.principal_id = $5)
          and ($6::uuid is null or fact.subject_id = $6)
          and ($7::timestamptz is null or fact.at >= $7)
          and ($8::timestamptz is null or fact.at < $8)
          and (
            $9::text is null
            or strpos(
              lower(concat_ws(
                ' ', fact.kind, actor.name, actor.email, fact.address, fact.user_agent, fact.request_id,
                fact.details::text
              )),
              lower($9)
            ) > 0
          )
        order by fact.at desc, fact.id desc
        limit $10
        """,
        project_id,
        before_at,
        before_id,
        kinds,
        user_id,
        subject_id,
        from_at,
        to_at,
        q,
        limit,
    )


async def of_members_accounts(
    tx: Tx,
    *,
    project_id: UUID,
    kinds: str | None,
    user_id: UUID | None,
    subject_id: UUID | None,
    from_at: datetime | None,
    to_at: datetime | None,
    q: str | None,
    before_at: datetime,
    before_id: int,
    limit: int,
) -> list[asyncpg.Record]:
    """List the facts of the accounts of a project's members that belong to no project, as `of_project` does.

    A login that failed is the account's that was tried.
    """
    return await tx.fetch(
        """
        select fact.id, fact.at, fact.kind, fact.subject_id, fact.principal_kind, fact.role, fact.address,
          fact.user_agent, fact.request_id, fact.credential_id, fact.details,
          actor.id as user_id, actor.name as user_name, actor.email as user_email,
          exists (select from fact_link where fact_id = fact.id) as linked
        from fact
        left join app_user actor on actor.id = fact.principal_id and fact.principal_kind = 'user'
        where fact.project_id is null
          and coalesce(fact.principal_id, fact.subject_id) = any (
            array(select user_id from project_member where project_id = $1)
          )
          and (fact.at, fact.id) < ($2, $3)
          and ($4::text is null or fact.kind like $4)
          and ($5::uuid is null or coalesce(fact.principal_id, fact.subject_id) = $5)
          and ($6::uuid is null or fact.subject_id = $6)
          and ($7::timestamptz is null or fact.at >= $7)
          and ($8::timestamptz is null or fact.at < $8)
          and (
            $9::text is null
            or strpos(
              lower(concat_ws(
                ' ', fact.kind, actor.name, actor.email, fact.address, fact.user_agent, fact.request_id,
                fact.details::text
              )),
              lower($9)
            ) > 0
          )
        order by fact.at desc, fact.id desc
        limit $10
        """,
        project_id,
        before_at,
        before_id,
        kinds,
        user_id,
        subject_id,
        from_at,
        to_at,
        q,
        limit,
    )
