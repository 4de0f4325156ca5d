"""What whoever runs the hub may do without logging in: first users, invites, shutting an account, the audit trail."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from redis.asyncio import Redis

from hub.auth import accounts
from hub.kit.db import Database, Tx
from hub.kit.key_service import key_service_of
from hub.kit.vault import Vault
from hub.ledger.pruning import Pruned, prune
from hub.ledger.service import Fact, record_for_system
from hub.ledger.verification import Head, Verification, verify
from hub.projects import invites
from hub.projects import service as projects
from hub.projects.models import Role
from hub.sealing import verification
from hub.settings import Settings
from hub.telemetry import sharding

# Millions of facts take their time.
AUDIT_STATEMENT_S: Final = 3600.0


async def ensure_member(tx: Tx, *, email: str, name: str, password: str, project: str, role: Role) -> UUID:
    """Create user and project where they are missing, and give the user this role in it; returns the user's id."""
    user_id = await accounts.ensure_user(tx, email=email, name=name, password=password)
    project_id = await projects.ensure_project(tx, project)
    await projects.ensure_member(tx, project_id=project_id, user_id=user_id, role=role)
    put = Fact("member.put", subject_id=user_id, project_id=project_id, details={"role": role.value, "account": True})
    await record_for_system(tx, put, by="operator")
    return user_id


async def ensure_owner(settings: Settings, *, email: str, name: str, password: str, project: str) -> None:
    """Create an owner of a project, in a transaction of its own."""
    database = Database(settings.database_url, max_size=1)
    try:
        async with database.transaction() as tx:
            await ensure_member(tx, email=email, name=name, password=password, project=project, role=Role.OWNER)
    finally:
        await database.close()


async def invite(
    settings: Settings, *, project: str | None, role: Role, uses: int, days: int, only_first: bool
) -> str | None:
    """Make an invite and return its link; the project is created when no project has this name.

    Without a project it opens an account, whose user may then create projects. With `only_first` there is an answer
    only while nobody has an account.
    """
    database = Database(settings.database_url, max_size=1)
    vault = Vault(database, key_service_of(settings))
    try:
        await vault.ready()
        async with database.transaction() as tx:
            if only_first and await accounts.anybody(tx):
                return None
            project_id = None if project is None else await projects.ensure_project(tx, project)
            code, invite_id = await invites.issue(
                tx,
                vault.keys,
                project_id=project_id,
                role=None if project is None else role,
                note="by the operator",
                max_uses=uses,
                created_by=None,
                expires_at=datetime.now(UTC) + timedelta(days=days),
            )
            made = Fact("invite.created", subject_id=invite_id, project_id=project_id, details={"max_uses": uses})
            await record_for_system(tx, made, by="operator")
        return settings.dashboard_url + invites.page_of_code(code)
    finally:
        await database.close()


async def reset_mfa(settings: Settings, email: str) -> bool:
    """Forget a user's second factor; False when there is no such user."""
    database = Database(settings.database_url, max_size=1)
    try:
        async with database.transaction() as tx:
            return await accounts.reset_mfa(tx, email)
    finally:
        await database.close()


async def end_sessions(settings: Settings, email: str | None) -> int | None:
    """End a user's sessions, or everybody's; returns how many, None when there is no such user."""
    database = Database(settings.database_url, max_size=1)
    try:
        async with database.transaction() as tx:
            return await accounts.end_sessions(tx, email)
    finally:
        await database.close()


async def set_disabled(settings: Settings, email: str, *, disabled: bool) -> bool:
    """Shut a user out, sessions and tokens included, or let them in again; False when there is no such user."""
    database = Database(settings.database_url, max_size=1)
    try:
        async with database.transaction() as tx:
            return await accounts.set_disabled(tx, email, disabled=disabled)
    finally:
        await database.close()


async def reshard(settings: Settings, shards: int, patience_s: float) -> int:
    """Change the number of the stream's shards; returns what it was. Raises NotDrained."""
    database = Database(settings.database_url, max_size=1)
    stream = Redis.from_url(settings.redis_url, socket_timeout=10.0, socket_connect_timeout=5.0)
    try:
        return await sharding.reshard(database, stream, shards, drain_s=patience_s)
    finally:
        await stream.aclose()
        await database.close()


async def verify_audit(settings: Settings, expected: Head | None) -> Verification:
    """Walk the chain of facts; `expected` is a link that was noted down earlier."""
    database = Database(settings.database_url, max_size=1, statement_timeout_s=AUDIT_STATEMENT_S)
    try:
        async with database.snapshot() as tx:
            return await verify(tx, expected=expected)
    finally:
        await database.close()


async def prune_audit(settings: Settings, older_than_days: int) -> Pruned | None:
    """Delete the oldest facts; None when none is so old. Raises StretchBroken."""
    database = Database(settings.database_url, max_size=1, statement_timeout_s=AUDIT_STATEMENT_S)
    try:
        async with database.transaction() as tx:
            return await prune(tx, older_than_days, by="operator")
    finally:
        await database.close()


async def verify_capture(settings: Settings, capture_id: UUID) -> verification.Verification:
    """Verify a sealed capture; raises CaptureNotSealed, SecretKeyUnfit."""
    database = Database(settings.database_url, max_size=2, statement_timeout_s=AUDIT_STATEMENT_S)
    vault = Vault(database, key_service_of(settings, may_create=False))
    try:
        await vault.ready()
        return await verification.verify(database, vault, capture_id)
    finally:
        await database.close()
