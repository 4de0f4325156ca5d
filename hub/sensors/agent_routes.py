"""Routes of edge agents and of the broker."""

from uuid import UUID

from aiohttp import web

from hub.auth.access import PUBLIC
from hub.auth.step_up import WithOtp
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import of_project
from hub.projects.models import Role
from hub.sensors import agent_status, agents, tokens
from hub.sensors.access import AGENT, of_agent
from hub.sensors.agent_models import (
    BrokerAccount,
    BrokerLogin,
    EdgeAgent,
    EdgeAgentCreate,
    EdgeAgentUpdate,
    EdgeConfig,
)
from hub.sensors.agent_status_models import AgentReport
from hub.sensors.problems import DefaultEdgeAgentTaken, EdgeAgentNameTaken, WrongBrokerLogin
from hub.sensors.token_models import RotatedToken, Rotation

routes = Routes("edge-agents")

TAKEN = (EdgeAgentNameTaken, DefaultEdgeAgentTaken)


@routes.route("GET", "/projects/{project_id}/edge-agents", access=of_project(Role.VIEWER), answer=Page[EdgeAgent])
async def list_edge_agents(ctx: Context, project_id: UUID) -> Page[EdgeAgent]:
    """List a project's edge agents."""
    return await agents.list_of_project(ctx, project_id)


@routes.route(
    "POST",
    "/projects/{project_id}/edge-agents",
    access=of_project(Role.OWNER),
    answer=EdgeAgent,
    status=201,
    problems=TAKEN,
)
async def create_edge_agent(ctx: Context, project_id: UUID, body: EdgeAgentCreate) -> EdgeAgent:
    """Create an edge agent; its token is in this answer, once."""
    return await agents.create(ctx, body)


@routes.route("GET", "/edge-agents/{agent_id}", access=of_agent(Role.VIEWER), answer=EdgeAgent)
async def read_edge_agent(ctx: Context, agent_id: UUID) -> EdgeAgent:
    """Read an edge agent."""
    return await agents.read(ctx, agent_id)


@routes.route("PATCH", "/edge-agents/{agent_id}", access=of_agent(Role.OWNER), answer=EdgeAgent, problems=TAKEN)
async def update_edge_agent(ctx: Context, agent_id: UUID, body: EdgeAgentUpdate) -> EdgeAgent:
    """Change an edge agent."""
    return await agents.update(ctx, agent_id, body)


@routes.route("DELETE", "/edge-agents/{agent_id}", access=of_agent(Role.OWNER), status=204)
async def delete_edge_agent(ctx: Context, agent_id: UUID) -> None:
    """Delete an edge agent; its sensors are then assigned to nobody."""
    await agents.delete(ctx, agent_id)


@routes.route("POST", "/edge-agents/{agent_id}/rotate-token", access=WithOtp(of_agent(Role.OWNER)), answer=RotatedToken)
async def rotate_edge_agent_token(ctx: Context, agent_id: UUID, body: Rotation) -> RotatedToken:
    """Give an edge agent another token, in this answer, once; the old one stays good for the overlap."""
    return await tokens.rotate_of_agent(ctx, agent_id, body)


@routes.route("GET", "/edge/config", access=AGENT, answer=EdgeConfig)
async def read_edge_config(ctx: Context) -> web.Response:
    """Tell an edge agent which sensors are its own and how to convert; 304 when If-None-Match still holds."""
    config, tag = await agents.config(ctx)
    if tag in ctx.request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(body=config.model_dump_json().encode(), content_type="application/json", headers={"ETag": tag})


@routes.route("POST", "/edge/status", access=AGENT, status=204, sampled=True)
async def note_edge_status(ctx: Context, body: AgentReport) -> None:
    """Note how an edge agent is doing; its project sees the newest of each instance."""
    await agent_status.note(ctx, body)


# A broker asks for all its devices, from one address, again and again.
@routes.route(
    "POST", "/broker/login", access=PUBLIC, answer=BrokerAccount, problems=[WrongBrokerLogin], rate=50, sampled=True
)
async def log_in_to_broker(ctx: Context, body: BrokerLogin) -> BrokerAccount:
    """Check a broker client's user name and password."""
    return await agents.broker_account(ctx, body)
