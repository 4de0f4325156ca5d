"""Routes of proposals."""

from uuid import UUID

from hub.channels import queries, service
from hub.channels.models import AcceptedProposal, Proposal, ProposalAccept, ProposalQuery
from hub.channels.problems import ProposalSettled, SensorOfAnother
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.access import Member, of_project
from hub.projects.models import Role
from hub.sensors.problems import SensorNameTaken, SensorTokenTaken

routes = Routes("proposals")


def of_proposal(least: Role) -> Member:
    """Admit members of the project of the channel in the path."""
    return Member(least, "proposal", "proposal_id", queries.project_of)


@routes.route("GET", "/projects/{project_id}/proposals", access=of_project(Role.VIEWER), answer=Page[Proposal])
async def list_proposals(ctx: Context, project_id: UUID, query: ProposalQuery) -> Page[Proposal]:
    """List what devices of foreign formats send that is no sensor yet."""
    return await service.list_of_project(ctx, project_id, query)


@routes.route(
    "POST",
    "/proposals/{proposal_id}/accept",
    access=of_proposal(Role.EDITOR),
    answer=AcceptedProposal,
    problems=[ProposalSettled, SensorOfAnother, SensorNameTaken, SensorTokenTaken],
)
async def accept_proposal(ctx: Context, proposal_id: UUID, body: ProposalAccept) -> AcceptedProposal:
    """Let a channel be a sensor; its samples of the last day follow."""
    return await service.accept(ctx, proposal_id, body)


@routes.route("POST", "/proposals/{proposal_id}/ignore", access=of_proposal(Role.EDITOR), answer=Proposal)
async def ignore_proposal(ctx: Context, proposal_id: UUID) -> Proposal:
    """Leave a channel out, or take it from its sensor."""
    return await service.ignore(ctx, proposal_id)
