"""Health: whether the process lives, and whether its parts do."""

import pytest

from hub.settings import Role, Settings
from tests.hub.callers import Caller


async def test_alive(anonymous: Caller) -> None:
    assert (await anonymous.get("/healthz")).status == 200


class TestReady:
    @pytest.fixture
    def roles(self) -> frozenset[Role]:
        return frozenset({"api", "worker"})

    async def test_all_parts(self, anonymous: Caller) -> None:
        answer = await anonymous.get("/readyz")
        assert (answer.status, answer.body["database"], answer.body["stream"]) == (200, True, True)
        assert "captures.auto_stop" in {worker["name"] for worker in answer.body["workers"]}


class TestWithoutDatabase:
    @pytest.fixture
    def settings(self, settings: Settings, free_port: int) -> Settings:
        return settings.model_copy(update={"database_url": f"postgresql://etp@127.0.0.1:{free_port}/etp"})

    async def test_alive_but_not_ready(self, anonymous: Caller) -> None:
        assert (await anonymous.get("/healthz")).status == 200
        answer = await anonymous.get("/readyz")
        assert (answer.status, answer.body["database"], answer.body["stream"]) == (503, False, True)


async def test_the_apis_document_is_public(anonymous: Caller) -> None:
    answer = await anonymous.get("/openapi.json")
    assert answer.ok["openapi"] == "3.1.0"
    created = answer.ok["paths"]["/api/v1/projects"]["post"]
    assert [parameter["name"] for parameter in created["parameters"]] == ["Idempotency-Key"]


async def test_the_streams_document_is_public(anonymous: Caller) -> None:
    answer = await anonymous.get("/asyncapi.json")
    assert answer.ok["asyncapi"] == "3.0.0"
