"""What whoever runs the hub may do without logging in: create the first users and their projects."""

from uuid import UUID

from hub.auth.accounts import ensure_user
from hub.kit.db import Database, Tx
from hub.projects import service as projects
from hub.projects.models import Role
from hub.settings import Settings


async def ensure_member(tx: Tx, *, email: str, name: str, password: str, project: str, role: Role) -> UUID:
    """Create user and project where they are missing, and give the user this role in it; returns the user's id."""
    user_id = await ensure_user(tx, email=email, name=name, password=password)
    await projects.ensure_member(tx, project=project, user_id=user_id, role=role)
    return user_id


async def ensure_owner(settings: Settings, *, email: str, name: str, password: str, project: str) -> None:
    """Create an owner of a project, in a transaction of its own."""
    database = Database(settings.database_url, max_size=1)
    try:
        async with database.transaction() as tx:
            await ensure_member(tx, email=email, name=name, password=password, project=project, role=Role.OWNER)
    finally:
        await database.close()
