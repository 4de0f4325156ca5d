"""Edge agents: creating and changing them, what they must know, and the broker's logins."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from hub.conversion import service as conversion
from hub.kit.context import Context
from hub.kit.crypto import new_token
from hub.kit.pages import Page
from hub.kit.problems import NotFound
from hub.ledger.service import Fact, record
from hub.sensors import agent_queries as queries
from hub.sensors import agent_status, token_queries
from hub.sensors.agent_models import (
    BrokerAccount,
    BrokerLogin,
    ConfiguredAgent,
    ConfiguredSensor,
    EdgeAgent,
    EdgeAgentCreate,
    EdgeAgentUpdate,
    EdgeConfig,
)
from hub.sensors.agent_status_models import AgentInstance
from hub.sensors.broker_hash import broker_hash
from hub.sensors.limit_models import AGENT_SAMPLES_PER_S
from hub.sensors.problems import DefaultEdgeAgentTaken, EdgeAgentNameTaken, WrongBrokerLogin


async def create(ctx: Context, body: EdgeAgentCreate) -> EdgeAgent:
    """Create an edge agent; its token is in this answer only."""
    token = new_token("etpe")
    try:
        agent_id = await queries.insert(
            ctx.tx,
            project_id=ctx.scope.scope_id,
            name=body.name,
            token_digest=ctx.hub.keys.digest(token),
            broker_hash=broker_hash(token),
            is_default=body.default,
            samples_per_s=body.limits.samples_per_s or AGENT_SAMPLES_PER_S,
        )
    except asyncpg.UniqueViolationError as error:
        raise _taken(error, body.name) from error
    details = body.model_dump(exclude_none=True)
    await record(ctx, Fact("edge_agent.created", subject_id=agent_id, details=details))
    return (await read(ctx, agent_id)).model_copy(update={"token": token})


async def read(ctx: Context, agent_id: UUID) -> EdgeAgent:
    """Read an edge agent."""
    row = await _row(ctx, agent_id)
    return _agent(row, await agent_status.of_agents(ctx, [agent_id]))


async def list_of_project(ctx: Context, project_id: UUID) -> Page[EdgeAgent]:
    """List a project's edge agents by name."""
    rows = await queries.of_project(ctx.tx, project_id)
    instances = await agent_status.of_agents(ctx, [row["id"] for row in rows])
    return Page(items=[_agent(row, instances) for row in rows])


async def update(ctx: Context, agent_id: UUID, body: EdgeAgentUpdate) -> EdgeAgent:
    """Rename an edge agent, or make it the default one or not."""
    before = await queries.lock(ctx.tx, agent_id)
    if before is None:
        raise NotFound(noun="edge agent")
    try:
        await queries.update(
            ctx.tx,
            agent_id=agent_id,
            name=body.name,
            is_default=body.default,
            samples_per_s=None if body.limits is None else body.limits.samples_per_s,
        )
    except asyncpg.UniqueViolationError as error:
        raise _taken(error, body.name or "") from error
    after = body.model_dump(exclude_none=True)
    was = _with_limits(before)
    await record(ctx, Fact("edge_agent.updated", subject_id=agent_id, before=was, after=after))
    return await read(ctx, agent_id)


async def delete(ctx: Context, agent_id: UUID) -> None:
    """Delete an edge agent: its token ends at once, its sensors are assigned to nobody."""
    agent = await _row(ctx, agent_id)
    await queries.delete(ctx.tx, agent_id)
    await record(ctx, Fact("edge_agent.deleted", subject_id=agent_id, details={"name": agent["name"]}))


async def config(ctx: Context) -> tuple[EdgeConfig, str]:
    """Tell the edge agent that asks about its sensors, with an entity tag that changes with the content."""
    agent = await _row(ctx, ctx.caller.id)
    rows = await queries.sensors_of(ctx.tx, agent["id"])
    profiles = await conversion.published_of(ctx.tx, ctx.hub.vault, [row["id"] for row in rows])
    found = EdgeConfig(
        agent=ConfiguredAgent(
            id=agent["id"], name=agent["name"], project_id=agent["project_id"], default=agent["default"]
        ),
        sensors=[
            ConfiguredSensor(
                id=row["id"], name=row["name"], time_source=row["time_source"], profiles=profiles.get(row["id"], [])
            )
            for row in rows
        ],
    )
    return found, f'"{hashlib.sha256(found.model_dump_json().encode()).hexdigest()[:32]}"'


async def broker_account(ctx: Context, body: BrokerLogin) -> BrokerAccount:
    """Find the account of a broker's client; raises WrongBrokerLogin."""
    row = await token_queries.device_by_token(ctx.tx, ctx.hub.keys.digest(body.password), ctx.hub.clock.now())
    if row is None or row["ended"] or str(row["id"]) != body.username:
        raise WrongBrokerLogin
    return BrokerAccount(
        kind=row["kind"],
        id=row["id"],
        project_id=row["project_id"],
        agent_id=row["agent_id"],
        default=row["default"],
    )


async def _row(ctx: Context, agent_id: UUID) -> asyncpg.Record:
    row = await queries.find(ctx.tx, agent_id)
    if row is None:
        raise NotFound(noun="edge agent")
    return row


def _agent(row: asyncpg.Record, instances: Mapping[UUID, list[AgentInstance]]) -> EdgeAgent:
    return EdgeAgent(**_with_limits(row), instances=instances.get(row["id"], []))


def _with_limits(row: asyncpg.Record) -> dict[str, Any]:
    fields = dict(row)
    return fields | {"limits": {"samples_per_s": fields.pop("samples_per_s")}}


def _taken(error: asyncpg.UniqueViolationError, name: str) -> DefaultEdgeAgentTaken | EdgeAgentNameTaken:
    return DefaultEdgeAgentTaken() if error.constraint_name == "edge_agent_default" else EdgeAgentNameTaken(name=name)
