"""Routes of members and invites, and of registering with one."""

from uuid import UUID

from hub.auth.access import PUBLIC, SESSION
from hub.auth.models import Registration, Tokens
from hub.auth.problems import CrossSite, EmailTaken, TooManyAttempts
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.kit.problems import NotFound
from hub.projects import access, invites, member_queries, members
from hub.projects.access import NamedProject, admit_to, of_project
from hub.projects.invite_models import Invite, InviteCode, InviteCreate, InviteQuery, InviteView
from hub.projects.models import Member, MemberPut, Role
from hub.projects.problems import AlreadyMember, InviteRefused, LastOwner, RoleTooLow

routes = Routes("members")
OF_INVITE = access.Member(Role.OWNER, "invite", "invite_id", member_queries.project_of_invite)


@routes.route("GET", "/projects/{project_id}/members", access=of_project(Role.VIEWER), answer=Page[Member])
async def list_members(ctx: Context, project_id: UUID) -> Page[Member]:
    """List a project's members."""
    return await members.list_of(ctx, project_id)


@routes.route(
    "PUT",
    "/projects/{project_id}/members/{user_id}",
    access=of_project(Role.OWNER),
    answer=Member,
    problems=[LastOwner],
)
async def put_member(ctx: Context, project_id: UUID, user_id: UUID, body: MemberPut) -> Member:
    """Give somebody a role in a project."""
    return await members.put(ctx, project_id, user_id, body.role)


@routes.route(
    "DELETE",
    "/projects/{project_id}/members/{user_id}",
    access=of_project(Role.VIEWER, scope="admin"),
    status=204,
    problems=[LastOwner, RoleTooLow],
)
async def remove_member(ctx: Context, project_id: UUID, user_id: UUID) -> None:
    """Leave a project, or, as an owner, take somebody out of it."""
    await members.remove(ctx, project_id, user_id)


@routes.route("GET", "/invites", access=NamedProject(Role.OWNER), answer=Page[Invite])
async def list_invites(ctx: Context, query: InviteQuery) -> Page[Invite]:
    """List a project's invites."""
    await admit_to(ctx, query.project_id, Role.OWNER)
    return await invites.list_of(ctx, query.project_id)


@routes.route("POST", "/invites", access=NamedProject(Role.OWNER), answer=Invite, status=201)
async def create_invite(ctx: Context, body: InviteCreate) -> Invite:
    """Invite into a project; code and link are in this answer, once."""
    return await invites.create(ctx, body)


@routes.route("DELETE", "/invites/{invite_id}", access=OF_INVITE, status=204)
async def revoke_invite(ctx: Context, invite_id: UUID) -> None:
    """Revoke an invite."""
    await invites.revoke(ctx, invite_id)


@routes.route("POST", "/auth/invite", access=PUBLIC, answer=InviteView, problems=[InviteRefused, TooManyAttempts])
async def look_at_invite(ctx: Context, body: InviteCode) -> InviteView:
    """Tell what an invite is good for."""
    return await invites.look_at(ctx, body.invite_code)


@routes.route(
    "POST",
    "/auth/register",
    access=PUBLIC,
    answer=Tokens,
    status=201,
    problems=[InviteRefused, EmailTaken, CrossSite, TooManyAttempts],
)
async def create_account(ctx: Context, body: Registration) -> Tokens:
    """Open an account with an invite, and log in."""
    return await invites.register(ctx, body)


@routes.route(
    "POST",
    "/invites/accept",
    access=SESSION,
    answer=InviteView,
    problems=[InviteRefused, AlreadyMember, TooManyAttempts, NotFound],
)
async def accept_invite(ctx: Context, body: InviteCode) -> InviteView:
    """Become a member of a project by an invite."""
    return await invites.accept(ctx, body.invite_code)
