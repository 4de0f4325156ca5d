"""SQL of the ledger."""

from typing import Any
from uuid import UUID

from hub.kit.db import Tx


async def insert(
    tx: Tx,
    *,
    kind: str,
    project_id: UUID | None,
    subject_id: UUID | None,
    principal_kind: str | None,
    principal_id: UUID | None,
    role: str | None,
    address: str | None,
    user_agent: str | None,
    credential_id: UUID | None,
    request_id: str,
    details: dict[str, Any],
) -> None:
    """Append a fact; it waits to be linked."""
    await tx.execute(
        """
        insert into fact
          (kind, project_id, subject_id, principal_kind, principal_id, role, address, user_agent, credential_id,
           request_id, details)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        kind,
        project_id,
        subject_id,
        principal_kind,
        principal_id,
        role,
        address,
        user_agent,
        credential_id,
        request_id,
        details,
    )
