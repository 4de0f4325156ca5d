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
        select id, at, kind, subject_id, principal_kind, role, address, user_agent, request_id, credential_id, details,
          user_id, user_name, user_email, linked
        from fact_detail
        where project_id = $1
          and (at, id) < ($2, $3)
          and ($4::text is null or kind like $4)
          and ($5::uuid is null or principal_id = $5)
          and ($6::uuid is null or subject_id = $6)
          and ($7::timestamptz is null or at >= $7)
          and ($8::timestamptz is null or at < $8)
          and ($9::text is null or strpos(told, lower($9)) > 0)
        order by at desc, id desc
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
        select id, at, kind, subject_id, principal_kind, role, address, user_agent, request_id, credential_id, details,
          user_id, user_name, user_email, linked
        from fact_detail
        where project_id is null
          and coalesce(principal_id, subject_id) = any (
            array(select user_id from project_member where project_id = $1)
          )
          and (at, id) < ($2, $3)
          and ($4::text is null or kind like $4)
          and ($5::uuid is null or coalesce(principal_id, subject_id) = $5)
          and ($6::uuid is null or subject_id = $6)
          and ($7::timestamptz is null or at >= $7)
          and ($8::timestamptz is null or at < $8)
          and ($9::text is null or strpos(told, lower($9)) > 0)
        order by at desc, id desc
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
