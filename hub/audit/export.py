"""The audit trail as CSV."""

from collections.abc import Sequence
from typing import Final

import orjson

from hub.audit.models import AuditFact
from hub.kit.cells import cell
from hub.kit.wire import rfc3339

COLUMNS: Final = (
    "id",
    "at",
    "kind",
    "subject_id",
    "user_id",
    "user_name",
    "user_email",
    "principal_kind",
    "role",
    "address",
    "user_agent",
    "request_id",
    "credential_id",
    "linked",
    "details",
)
HEADER: Final = (",".join(COLUMNS) + "\r\n").encode()


def rows(facts: Sequence[AuditFact]) -> bytes:
    """Write facts as rows; what is absent is empty, details are JSON."""
    return "".join(_row(fact) for fact in facts).encode()


def _row(fact: AuditFact) -> str:
    user = fact.user
    cells = (
        fact.id,
        rfc3339(fact.at),
        fact.kind,
        fact.subject_id,
        user and user.id,
        user and user.name,
        user and user.email,
        fact.principal_kind,
        fact.role,
        fact.address,
        fact.user_agent,
        fact.request_id,
        fact.credential_id,
        "true" if fact.linked else "false",
        orjson.dumps(fact.details).decode(),
    )
    return ",".join("" if value is None else cell(str(value)) for value in cells) + "\r\n"
