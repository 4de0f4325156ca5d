"""Whatever the OpenAPI document allows, sent by every role: no 5xx, no status and no shape that it does not name."""

import asyncio
import json
import random
import traceback
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.auth import tokens
from hub.kit.context import HUB
from hub.settings import Settings
from hub.write_docs import OPENAPI
from tests.cases import cases
from tests.hub.background import BackgroundHub
from tests.services import run

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("anonymous", "viewer", "editor", "owner", "sensor", "agent")
# After these there is nothing left to call: they come last.
ENDING = ("/auth/logout", "/auth/password/", "/members/", "/settings")


def simplified(node: Any) -> Any:
    """Write pairs of one kind as lists of that kind and length: schemathesis misreads `prefixItems` in answers."""
    if isinstance(node, list):
        return [simplified(value) for value in node]
    if not isinstance(node, dict):
        return node
    fields = {name: simplified(value) for name, value in node.items()}
    if places := fields.pop("prefixItems", None):
        assert all(place == places[0] for place in places)
        fields["items"] = places[0]
    return fields


SCHEMA = schemathesis.openapi.from_dict(simplified(json.loads(OPENAPI.read_bytes())))


class Lab:
    """A hub with one of everything, and who calls it."""

    def __init__(self, hub: BackgroundHub, database_url: str) -> None:
        self.hub = hub
        self.database_url = database_url
        self.ids: dict[str, str] = {}
        self.tokens: dict[str, str | None] = {"anonymous": None}
        run(self._people())
        self._things()

    async def _people(self) -> None:
        connection = await asyncpg.connect(self.database_url)
        project = await connection.fetchval("insert into project (name) values ('fuzzed') returning id")
        self.ids["project_id"] = str(project)
        for role in ("owner", "editor", "viewer"):
            user = await connection.fetchval(
                "insert into app_user (email, name, password_hash) values ($1, $2, '!') returning id",
                f"{role}@example.com",
                role,
            )
            await connection.execute(
                "insert into project_member (project_id, user_id, role) values ($1, $2, $3)", project, user, role
            )
            session = await connection.fetchval(
                "insert into session (id, user_id, client, expires_at)"
                " values (gen_random_uuid(), $1, 'script', now() + interval '1 day') returning id",
                user,
            )
            parts = self.hub.app[HUB]
            self.tokens[role] = tokens.issue(
                parts.keys, parts.clock, user_id=user, session_id=session, name=role, lifetime_s=3600
            )
            self.ids["user_id"] = str(user)
        await connection.close()

    def _things(self) -> None:
        project = self.ids["project_id"]
        sensor = self._make(
            f"projects/{project}/sensors",
            name="s",
            type="voltage",
            input_unit="V",
            display_unit="V",
            profile={"kind": "linear", "slope": 2.0, "intercept": 1.0},
            limits={"requests_per_s": 1e4, "burst": 100_000},
        )
        agent = self._make(f"projects/{project}/edge-agents", name="e", default=True)
        experiment = self._make(f"projects/{project}/experiments", name="x")
        made = self._make(f"experiments/{experiment['id']}/runs", name="r")
        self._make(f"runs/{made['id']}/sensors", "PUT", sensors=[{"sensor_id": sensor["id"]}])
        self._make(f"runs/{made['id']}/start")
        capture = self._make(f"runs/{made['id']}/captures")
        self.tokens |= {"sensor": sensor["token"], "agent": agent["token"]}
        self.ids |= {
            "sensor_id": sensor["id"],
            "agent_id": agent["id"],
            "experiment_id": experiment["id"],
            "run_id": made["id"],
            "capture_id": capture["id"],
            "profile_id": sensor["active_profile"]["id"],
            "invite_id": self._make("invites", project_id=project, role="viewer")["id"],
        }

    def _make(self, path: str, method: str = "POST", **body: Any) -> dict[str, Any]:
        answer = requests.request(
            method,
            f"{self.hub.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.tokens['owner']}"},
            timeout=10,
        )
        assert answer.ok, answer.text
        return answer.json()


@pytest.fixture
def lab(database_url: str, valkey_url: str, tmp_path: Path) -> Iterator[Lab]:
    """A hub of its own for each role, with limits that stand in nobody's way."""
    configured = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=valkey_url,
        data_dir=tmp_path / "data",
        frontend_dir=tmp_path / "no-frontend",
        requests_per_s=1e6,
        requests_burst=1_000_000,
        public_requests_per_s=1e6,
        public_requests_burst=1_000_000,
    )
    with BackgroundHub(configured, frozenset({"api", "writer", "worker"})) as hub:
        yield Lab(hub, database_url)


def operations() -> list[Any]:
    """List the document's operations that end, those that end a session or a membership last."""
    found = [one.ok() for one in SCHEMA.get_all_operations()]
    found = [one for one in found if "/live" not in one.path and not one.path.endswith("/telemetry/stream")]
    return sorted(found, key=lambda one: (any(part in one.path for part in ENDING), one.method == "delete", one.path))


@pytest.mark.hypothesis
@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_answers_as_documented(role: str, lab: Lab) -> None:
    session = requests.Session()
    token = lab.tokens[role]
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    faults: list[str] = []
    for operation in operations():
        # Without shrinking: what a request meets is what those before it left.
        @cases(3, in_search=50, suppress=list(HealthCheck), database=None, phases=[Phase.explicit, Phase.generate])
        @given(case=operation.as_strategy(), dice=st.randoms(use_true_random=False))
        def send(case: Any, dice: random.Random) -> None:
            for name in case.path_parameters or {}:
                # Mostly things that are there: random ids would only ever find nothing.
                there = name in lab.ids and dice.random() < 0.8
                case.path_parameters[name] = lab.ids[name] if there else str(uuid.UUID(int=dice.getrandbits(128)))
            case.headers = {**(case.headers or {}), **headers}
            response = case.call(base_url=lab.hub.url, session=session, timeout=15)
            case.validate_response(response, checks=CHECKS)

        try:
            send()
        except BaseException as failure:
            if isinstance(failure, (KeyboardInterrupt, SystemExit, asyncio.CancelledError)):
                raise
            # With those within: what was drawn, and what was answered to it.
            told = "".join(traceback.format_exception(failure))
            faults.append(f"{operation.method.upper()} {operation.path}: {told}"[-6000:])
    session.close()
    assert faults == [], "\n\n".join(faults)
