"""Routes of the audit trail."""

from uuid import UUID

from aiohttp import web

from hub.audit import export, service
from hub.audit.models import AuditFact, AuditFilter, AuditQuery
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.ledger.service import Fact, record_apart
from hub.projects.access import of_project
from hub.projects.models import Role

routes = Routes("audit")


@routes.route("GET", "/projects/{project_id}/audit", access=of_project(Role.VIEWER), answer=Page[AuditFact])
async def list_facts(ctx: Context, project_id: UUID, query: AuditQuery) -> Page[AuditFact]:
    """List what happened in a project, the newest first; owners also see what its members did with their accounts."""
    return await service.page(ctx, project_id, query)


@routes.route(
    "GET",
    "/projects/{project_id}/audit/export",
    access=of_project(Role.VIEWER),
    transaction=False,
    produces=("text/csv",),
)
async def export_facts(ctx: Context, project_id: UUID, query: AuditFilter) -> web.StreamResponse:
    """Download the same as CSV, streamed."""
    details = query.model_dump(exclude_none=True, by_alias=True)
    await record_apart(ctx, Fact("audit.exported", subject_id=project_id, details=details))
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="audit.csv"',
            "Cache-Control": "no-store",
            "X-Request-ID": ctx.request_id,
        }
    )
    async with ctx.hub.db.snapshot() as tx:
        await response.prepare(ctx.request)
        await response.write(export.HEADER)
        async for facts in service.every(ctx, tx, project_id, query):
            await response.write(export.rows(facts))
        await response.write_eof()
    return response
