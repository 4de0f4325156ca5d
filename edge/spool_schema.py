"""The spool's tables, made new or brought up from what an earlier version left."""

from typing import Final

import aiosqlite

_TABLES: Final = """
create table if not exists entry (
  id integer primary key autoincrement,
  samples integer not null,
  body blob not null,
  sensor text not null,
  first_us integer not null,
  last_us integer not null,
  at_us integer not null
) strict;
create table if not exists batch (
  first_entry integer primary key,
  last_entry integer not null,
  batch_id text not null unique
) strict;
create table if not exists refused (
  id integer primary key autoincrement,
  at_us integer not null,
  source text not null,
  status integer,
  answer text not null,
  content blob not null
) strict;
create table if not exists dropped (
  id integer primary key,
  sensor text not null,
  samples integer not null,
  first_us integer not null,
  last_us integer not null,
  report text
) strict;
create unique index if not exists dropped_unreported on dropped (sensor) where report is null;
create table if not exists unreadable (
  id integer primary key,
  sensor text not null,
  code text not null,
  messages integer not null,
  detail text not null,
  report text
) strict;
create unique index if not exists unreadable_unreported on unreadable (sensor, code) where report is null;
"""

# Version 1 kept nothing of an entry but its body, which tells the rest; when it came is not known any more.
_FROM_1: Final = """
begin immediate;
alter table entry add column sensor text not null default '';
alter table entry add column first_us integer not null default 0;
alter table entry add column last_us integer not null default 0;
alter table entry add column at_us integer not null default 0;
update entry
set sensor = json_extract(cast(body as text), '$.sensor_id'),
  first_us = (select cast(round(min(value) * 1e6) as integer) from json_each(cast(body as text), '$.t')),
  last_us = (select cast(round(max(value) * 1e6) as integer) from json_each(cast(body as text), '$.t')),
  at_us = cast(strftime('%s', 'now') as integer) * 1000000;
commit;
"""


async def prepare(db: aiosqlite.Connection) -> None:
    """Make the tables that are missing and change those of an earlier version; their content stays."""
    async with db.execute("select name from pragma_table_info('entry')") as rows:
        columns = {row[0] async for row in rows}
    if columns and "sensor" not in columns:
        await db.executescript(_FROM_1)
    await db.executescript(_TABLES)
