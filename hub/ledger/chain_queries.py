"""SQL of the chain: facts as text, their links, the anchor, and pruning."""

from collections.abc import Sequence

import asyncpg
from asyncpg.cursor import Cursor

from hub.kit.db import Tx


async def try_hold(tx: Tx) -> bool:
    """Take the chain's end for this transaction; False while another worker holds it."""
    return await tx.fetchval("select pg_try_advisory_xact_lock(hashtext('fact_link'))")


async def hold(tx: Tx) -> None:
    """Take the chain's end for this transaction, waiting for whoever holds it."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('fact_link'))")


async def last_link(tx: Tx) -> asyncpg.Record | None:
    """Read number and hash of the last link, or of the anchor when there is no link behind it; None at the beginning.

    One statement sees one moment, so that a pruning is seen as a whole or not at all.
    """
    return await tx.fetchrow(
        """
        select seq, hash
        from (
          (select seq, hash from fact_link order by seq desc limit 1)
          union all
          (select seq, hash from fact_anchor order by seq desc limit 1)
        ) one
        order by seq desc
        limit 1
        """
    )


async def take_waiting(tx: Tx, most: int) -> list[asyncpg.Record]:
    """Take the oldest facts that wait to be linked, each column as text, null where it is null."""
    return await tx.fetch(
        """
        with taken as (
          delete from fact_waiting
          where fact_id in (select fact_id from fact_waiting order by fact_id limit $1)
          returning fact_id
        )
        select fact.id, round(extract(epoch from fact.at) * 1000000)::text as at, fact.kind,
          fact.project_id::text as project_id, fact.subject_id::text as subject_id, fact.principal_kind,
          fact.principal_id::text as principal_id, fact.role, fact.address, fact.user_agent,
          fact.credential_id::text as credential_id, fact.request_id, fact.details::text as details
        from taken
        join fact on fact.id = taken.fact_id
        order by fact.id
        """,
        most,
    )


async def insert_links(tx: Tx, first_seq: int, fact_ids: Sequence[int], hashes: Sequence[bytes]) -> None:
    """Append links, numbered from `first_seq`."""
    await tx.execute(
        """
        insert into fact_link (seq, fact_id, hash)
        select $1::bigint + link.place - 1, link.fact_id, link.hash
        from unnest($2::bigint[], $3::bytea[]) with ordinality as link (fact_id, hash, place)
        """,
        first_seq,
        fact_ids,
        hashes,
    )


async def anchor(tx: Tx) -> asyncpg.Record | None:
    """Read where the chain begins since it was last pruned, and how many facts were pruned in all; None: never."""
    return await tx.fetchrow(
        """
        select seq, hash, (select sum(facts)::bigint from fact_anchor) as facts
        from fact_anchor
        order by seq desc
        limit 1
        """
    )


async def links(tx: Tx, until_seq: int | None) -> "Cursor[asyncpg.Record]":
    """Open a cursor over the links with their facts, written as in `take_waiting`; id is null where a fact is gone."""
    return await tx.cursor(
        """
        select link.seq, link.fact_id, link.hash,
          fact.id, round(extract(epoch from fact.at) * 1000000)::text as at, fact.kind,
          fact.project_id::text as project_id, fact.subject_id::text as subject_id, fact.principal_kind,
          fact.principal_id::text as principal_id, fact.role, fact.address, fact.user_agent,
          fact.credential_id::text as credential_id, fact.request_id, fact.details::text as details
        from fact_link link
        left join fact on fact.id = link.fact_id
        where $1::bigint is null or link.seq <= $1
        order by link.seq
        """,
        until_seq,
    )


async def strays(tx: Tx, most: int) -> list[int]:
    """List facts that neither are linked nor wait: they did not come in by the front door."""
    rows = await tx.fetch(
        """
        select fact.id
        from fact
        where not exists (select from fact_link where fact_id = fact.id)
          and not exists (select from fact_waiting where fact_id = fact.id)
        order by fact.id
        limit $1
        """,
        most,
    )
    return [row["id"] for row in rows]


async def waiting_too_long(tx: Tx, seconds: float) -> int:
    """Count the facts that have waited longer than this to be linked."""
    return await tx.fetchval(
        """
        select count(*)
        from fact_waiting waiting
        join fact on fact.id = waiting.fact_id
        where fact.at < clock_timestamp() - make_interval(secs => $1)
        """,
        seconds,
    )


async def end_of_old(tx: Tx, days: int) -> asyncpg.Record | None:
    """Find the last link of the oldest stretch in which every fact is older than `days`; None when there is none."""
    return await tx.fetchrow(
        """
        select seq, hash
        from fact_link
        where seq < coalesce(
          (
            select min(link.seq)
            from fact_link link
            join fact on fact.id = link.fact_id
            where fact.at >= now() - make_interval(days => $1)
          ),
          9223372036854775807
        )
        order by seq desc
        limit 1
        """,
        days,
    )


async def insert_anchor(tx: Tx, *, seq: int, hash_: bytes, facts: int) -> None:
    """Let the chain begin behind a link; the database refuses it for facts that must be kept."""
    await tx.execute(
        """
        insert into fact_anchor (seq, hash, facts)
        values ($1, $2, $3)
        """,
        seq,
        hash_,
        facts,
    )


async def delete_facts(tx: Tx, until_seq: int) -> None:
    """Delete the facts up to a link that an anchor stands for."""
    await tx.execute(
        """
        delete from fact
        using fact_link link
        where link.fact_id = fact.id and link.seq <= $1
        """,
        until_seq,
    )


async def delete_links(tx: Tx, until_seq: int) -> None:
    """Delete the links up to one that an anchor stands for."""
    await tx.execute(
        """
        delete from fact_link
        where seq <= $1
        """,
        until_seq,
    )
