"""Routes of the journal."""

from uuid import UUID

from hub.journal import reading
from hub.journal.models import JournalEntry, JournalQuery
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.kit.pages import Page
from hub.projects.models import Role
from hub.sensors.access import of_sensor

routes = Routes("journal")


@routes.route("GET", "/sensors/{sensor_id}/journal", access=of_sensor(Role.VIEWER), answer=Page[JournalEntry])
async def read_journal(ctx: Context, sensor_id: UUID, query: JournalQuery) -> Page[JournalEntry]:
    """Read what went wrong with a sensor's samples, the newest first."""
    return await reading.page(ctx, sensor_id, query)
