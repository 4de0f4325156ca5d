"""The ceiling of ingest: PostgreSQL itself copying the same number of rows out of a file on the server."""

import time

import asyncpg

AGAINST = "server-side row COPY, btree (sensor, ts)"
_STEP_US = 1000


class RowCopy:
    """A table of one row per sample with a (sensor, ts) index, and a binary file to fill it from, made beforehand.

    The rows come as the samples do: messages of `message` consecutive samples, the sensors in turn.
    """

    def __init__(
        self, connection: "asyncpg.Connection[asyncpg.Record]", *, samples: int, sensors: int, message: int
    ) -> None:
        self._connection = connection
        self._samples = samples
        self._sensors = sensors
        self._message = message
        self._file = ""

    async def prepare(self) -> None:
        """Create the table and let the server write the file, where it surely can read it."""
        connection = self._connection
        self._file = f"{await connection.fetchval('show data_directory')}/bench_rows.copy"
        await connection.execute(
            """
            create table if not exists bench_rows (sensor_id int, ts timestamptz, raw float8, physical float8)
            """
        )
        await connection.execute("create index if not exists bench_rows_sensor on bench_rows (sensor_id, ts)")
        # COPY takes no parameters: whole numbers and a path without quotes are put in as text.
        query = f"""
            copy (
              select (i / {self._message} % {self._sensors})::int,
                timestamptz '2026-01-01'
                  + (i / {self._message * self._sensors} * {self._message} + i % {self._message})
                  * interval '{_STEP_US} microseconds',
                round((random() * 10)::numeric, 4)::float8,
                round((random() * 20)::numeric, 4)::float8
              from generate_series(0, {self._samples} - 1) i
            ) to '{self._file}' (format binary)
            """  # noqa: S608 - nothing of it comes from outside
        await connection.execute(query)

    async def samples_per_s(self) -> float:
        """Fill the empty table in one durable transaction and empty it again."""
        took_s = await self.fill()
        await self._connection.execute("truncate bench_rows")
        await self._connection.execute("checkpoint")
        return self._samples / took_s

    async def fill(self) -> float:
        """Fill the table, emptied before, in one durable transaction; returns how many seconds that took."""
        connection = self._connection
        await connection.execute("truncate bench_rows")
        await connection.execute("checkpoint")
        began = time.perf_counter()
        await connection.execute(f"copy bench_rows from '{self._file}' (format binary)")
        took_s = time.perf_counter() - began
        rows = await connection.fetchval("select count(*) from bench_rows")
        if rows != self._samples:
            raise RuntimeError(f"COPY stored {rows} of {self._samples} rows")
        return took_s
