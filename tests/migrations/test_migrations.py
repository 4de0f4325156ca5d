"""Every migration goes up, down and up again, and leaves nothing behind."""

import asyncio

import asyncpg
from alembic.script import ScriptDirectory

from hub.migrate import SCRIPTS, downgrade, upgrade

OBJECTS = """
select 'relation ' || relname from pg_class where relnamespace = 'public'::regnamespace and relname !~ '^alembic'
union all
select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
union all
select 'trigger ' || tgname || ' on ' || tgrelid::regclass from pg_trigger where not tgisinternal
union all
select 'constraint ' || conname from pg_constraint where connamespace = 'public'::regnamespace and conname !~ '^alembic'
order by 1
"""


async def objects(url: str) -> list[str]:
    """List what the schema holds."""
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(OBJECTS)]
    finally:
        await connection.close()


async def test_up_down_and_up_again(empty_database_url: str) -> None:
    revisions = [revision.revision for revision in reversed(list(ScriptDirectory(str(SCRIPTS)).walk_revisions()))]
    at: dict[str, list[str]] = {"base": await objects(empty_database_url)}
    for revision in revisions:
        await asyncio.to_thread(upgrade, empty_database_url, revision)
        at[revision] = await objects(empty_database_url)
    assert at["base"] == []
    for revision in [*reversed(revisions[:-1]), "base"]:
        await asyncio.to_thread(downgrade, empty_database_url, revision)
        assert await objects(empty_database_url) == at[revision]
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await objects(empty_database_url) == at[revisions[-1]]
