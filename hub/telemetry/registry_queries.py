"""SQL of the registry: devices and profiles as ingest needs them."""

import asyncpg

from hub.kit.db import Tx


async def registry_version(tx: Tx) -> int:
    """Return the number that changes with every change of devices and profiles."""
    return await tx.fetchval("select version from registry_version")


async def live_sensors(tx: Tx) -> list[asyncpg.Record]:
    """List the sensors that are not deleted, nor their projects."""
    return await tx.fetch(
        """
        select sensor.id, sensor.no, sensor.project_id, sensor.agent_id, sensor.token_digest, sensor.old_token_digest,
          (extract(epoch from sensor.old_token_until) * 1000000)::bigint as old_token_until_us,
          (extract(epoch from sensor.token_expires_at) * 1000000)::bigint as token_expires_us,
          sensor.requests_per_s, sensor.requests_burst, sensor.samples_per_s, sensor.time_source,
          (sensor.axis ->> 'count')::int as vector_size
        from sensor
        join project on project.id = sensor.project_id
        where sensor.deleted_at is null and project.deleted_at is null
        """
    )


async def edge_agents(tx: Tx) -> list[asyncpg.Record]:
    """List the edge agents of projects that are not deleted."""
    return await tx.fetch(
        """
        select agent.id, agent.project_id, agent.is_default, agent.token_digest, agent.old_token_digest,
          (extract(epoch from agent.old_token_until) * 1000000)::bigint as old_token_until_us,
          null::bigint as token_expires_us, agent.samples_per_s
        from edge_agent agent
        join project on project.id = agent.project_id
        where project.deleted_at is null
        """
    )


async def published_profiles(tx: Tx) -> list[asyncpg.Record]:
    """List the profile versions that apply or applied to samples, with their validity in µs."""
    return await tx.fetch(
        """
        select id, sensor_id, version, payload_sealed,
          (extract(epoch from valid_from) * 1000000)::bigint as from_us,
          (extract(epoch from valid_to) * 1000000)::bigint as to_us
        from conversion_profile
        where status <> 'draft'
        """
    )


async def captures_before(tx: Tx, before_us: int) -> list[asyncpg.Record]:
    """List the ranges (µs) of captures that began before a time, sensor by sensor."""
    return await tx.fetch(
        """
        select member.sensor_no,
          (extract(epoch from capture.started_at) * 1000000)::bigint as from_us,
          (extract(epoch from capture.stopped_at) * 1000000)::bigint as to_us
        from capture_session capture
        join capture_sensor member on member.capture_id = capture.id
        where capture.status in ('running', 'finished', 'sealed')
          and capture.started_at < timestamptz 'epoch' + $1::bigint * interval '1 microsecond'
        """,
        before_us,
    )
