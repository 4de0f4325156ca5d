"""Listing, accepting and ignoring proposals."""

from typing import Any
from uuid import UUID

from hub.channels import holding_queries, queries
from hub.channels.models import AcceptedProposal, ChannelState, Proposal, ProposalAccept, ProposalQuery
from hub.channels.parts import CHANNELS
from hub.channels.problems import ProposalSettled, SensorOfAnother
from hub.kit.context import Context, Grant
from hub.kit.pages import FIRST, Page, Position, page_of, position_of
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.ledger.service import Fact, record
from hub.projects.access import may_read_raw
from hub.sensors import service as sensors
from hub.sensors.models import Sensor, SensorUpdate


async def list_of_project(ctx: Context, project_id: UUID, query: ProposalQuery) -> Page[Proposal]:
    """List a project's channels in one state, the newest first."""
    before = position_of(query)
    rows = await queries.page(
        ctx.tx,
        project_id=project_id,
        channel_id=None,
        state=query.state,
        before_at=before.created_at,
        before_id=before.id,
        limit=query.limit + 1,
    )
    return page_of(
        rows, query, lambda row: _proposal(row, ctx.scope), lambda row: Position(row["first_seen"], row["id"])
    )


async def accept(ctx: Context, channel_id: UUID, body: ProposalAccept) -> AcceptedProposal:
    """Let a channel be a sensor from now on; what is held of it then comes through the ordinary intake.

    Raises ProposalSettled where it is one already, so that a repeated request changes nothing.
    """
    agent = await queries.lock_agent(ctx.tx, channel_id)
    await queries.lock_source(ctx.tx, channel_id)
    channel = await queries.decided(ctx.tx, channel_id)
    if channel is None:
        raise NotFound(noun="proposal")
    if channel["state"] == ChannelState.BOUND:
        raise ProposalSettled(sensor=channel["sensor_name"])
    sensor = await _sensor(ctx, body, agent)
    await queries.decide(ctx.tx, channel_id=channel_id, state=ChannelState.BOUND, sensor_id=sensor.id)
    details = {"sensor_id": sensor.id, "sensor": sensor.name, "format": channel["format"], "channel": channel["name"]}
    await record(ctx, Fact("proposal.accepted", subject_id=channel_id, details=details))
    parts = ctx.request.app[CHANNELS]
    ctx.after_commit += [parts.directory.outdate, parts.release.soon]
    return AcceptedProposal(proposal=await _read(ctx, channel_id), sensor=sensor)


async def ignore(ctx: Context, channel_id: UUID) -> Proposal:
    """Leave a channel out from now on, and let go of what is held of it; a bound one is no sensor any more."""
    await queries.lock_agent(ctx.tx, channel_id)
    await queries.lock_source(ctx.tx, channel_id)
    channel = await queries.decided(ctx.tx, channel_id)
    if channel is None:
        raise NotFound(noun="proposal")
    if channel["state"] != ChannelState.IGNORED:
        await queries.decide(ctx.tx, channel_id=channel_id, state=ChannelState.IGNORED, sensor_id=None)
        ctx.after_commit.append(ctx.request.app[CHANNELS].directory.outdate)
        await holding_queries.drop_of_channel(ctx.tx, channel_id)
        details = {"was": channel["state"], "format": channel["format"], "channel": channel["name"]}
        await record(ctx, Fact("proposal.ignored", subject_id=channel_id, details=details))
    return await _read(ctx, channel_id)


async def _sensor(ctx: Context, body: ProposalAccept, agent: Any) -> Sensor:
    """Make the sensor or find it, and assign it to the edge agent that the channel comes by."""
    if body.sensor is not None:
        made = await sensors.create(ctx, body.sensor)
        if agent is None:
            return made
        assigned = await sensors.update(ctx, made.id, SensorUpdate(agent_id=agent["id"]))
        return assigned.model_copy(update={"token": made.token})
    assert body.sensor_id is not None  # noqa: S101 - the model takes one of the two
    if not await sensors.lock_bindable(ctx.tx, sensor_ids=[body.sensor_id], project_id=ctx.scope.scope_id):
        raise InvalidPayload(errors=[FieldError(loc=["body", "sensor_id"], msg="no sensor of this project")])
    sensor = await sensors.read(ctx, body.sensor_id)
    if agent is None or sensor.agent_id == agent["id"] or (sensor.agent_id is None and agent["is_default"]):
        return sensor
    if sensor.agent_id is not None:
        raise SensorOfAnother(sensor=sensor.name)
    return await sensors.update(ctx, sensor.id, SensorUpdate(agent_id=agent["id"]))


async def _read(ctx: Context, channel_id: UUID) -> Proposal:
    rows = await queries.page(
        ctx.tx,
        project_id=ctx.scope.scope_id,
        channel_id=channel_id,
        state=None,
        before_at=FIRST.created_at,
        before_id=FIRST.id,
        limit=1,
    )
    return _proposal(rows[0], ctx.scope)


def _proposal(row: Any, grant: Grant) -> Proposal:
    fields = dict(row)
    if not may_read_raw(grant):
        fields["last_raw"] = None
    return Proposal(**fields)
