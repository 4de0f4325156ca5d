"""SQL of the samples that edge agents had to drop."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from hub.kit.db import Tx
from hub.telemetry.read_queries import by_sensor


async def add(
    tx: Tx,
    *,
    report_id: UUID,
    agent_id: UUID,
    sensors: Sequence[UUID],
    samples: Sequence[int],
    first_t: Sequence[int],
    last_t: Sequence[int],
) -> list[asyncpg.Record]:
    """Book an agent's report for the sensors of its project, deleted ones too; return what is new of it."""
    return await tx.fetch(
        """
        insert into edge_dropped (report_id, sensor_no, agent_id, samples, first_t, last_t)
        select $1, sensor.no, agent.id, part.samples, part.first_t, part.last_t
        from unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) part (sensor_id, samples, first_t, last_t)
        join edge_agent agent on agent.id = $2
        join sensor on sensor.id = part.sensor_id and sensor.project_id = agent.project_id
        on conflict do nothing
        returning sensor_no, samples, first_t, last_t
        """,
        report_id,
        agent_id,
        sensors,
        samples,
        first_t,
        last_t,
    )


async def counts(tx: Tx, sensors: Sequence[int], from_us: int, to_us: int) -> Counter[int]:
    """Count by sensor the samples that edge agents dropped, by the stretches of time that meet a range."""
    rows = await tx.fetch(
        """
        select sensor_no, sum(samples)::bigint as n
        from edge_dropped
        where sensor_no = any ($1::int[]) and first_t < $3 and last_t >= $2
        group by sensor_no
        """,
        sensors,
        from_us,
        to_us,
    )
    return by_sensor(rows)
