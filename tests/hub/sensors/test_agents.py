"""Edge agents over HTTP: creation, their view of the sensors, and the broker's logins."""

from tests.hub.callers import Caller
from tests.hub.conftest import Device, Login, Make


class TestCreate:
    async def test_roles(self, anonymous: Caller, login: Login, project: str) -> None:
        url = f"/projects/{project}/edge-agents"
        assert (await anonymous.post(url, {"name": "e"})).status == 401
        assert (await (await login()).post(url, {"name": "e"})).status == 404
        assert (await (await login("editor")).post(url, {"name": "e"})).status == 403
        made = await (await login("owner")).post(url, {"name": "e"})
        assert (made.status, made.body["default"], made.body["project_id"]) == (201, False, project)
        assert len(made.body["token"]) >= 43

    async def test_token_is_shown_once(self, owner: Caller, agent: Make, project: str) -> None:
        made = await agent()
        assert "token" not in (await owner.get(f"/edge-agents/{made['id']}")).ok
        assert "token" not in (await owner.get(f"/projects/{project}/edge-agents")).ok["items"][0]

    async def test_name_or_default_taken(self, owner: Caller, agent: Make, project: str) -> None:
        await agent(name="e", default=True)
        url = f"/projects/{project}/edge-agents"
        same_name = await owner.post(url, {"name": "e"})
        assert (same_name.status, same_name.code) == (409, "edge-agent-name-taken")
        second_default = await owner.post(url, {"name": "f", "default": True})
        assert (second_default.status, second_default.code) == (409, "default-edge-agent-taken")


class TestReadAndList:
    async def test_roles(self, anonymous: Caller, viewer: Caller, stranger: Caller, agent: Make) -> None:
        made = await agent()
        for url in (f"/edge-agents/{made['id']}", f"/projects/{made['project_id']}/edge-agents"):
            assert (await anonymous.get(url)).status == 401
            assert (await stranger.get(url)).status == 404
            assert (await viewer.get(url)).status == 200


class TestUpdate:
    async def test_roles(self, stranger: Caller, editor: Caller, owner: Caller, agent: Make) -> None:
        url = f"/edge-agents/{(await agent())['id']}"
        assert (await stranger.patch(url, {"name": "x"})).status == 404
        assert (await editor.patch(url, {"name": "x"})).status == 403
        changed = (await owner.patch(url, {"default": True})).ok
        assert (changed["name"], changed["default"]) == ("edge 1", True)


class TestDelete:
    async def test_editor(self, editor: Caller, agent: Make) -> None:
        assert (await editor.delete(f"/edge-agents/{(await agent())['id']}")).status == 403

    async def test_its_sensors_are_free(self, owner: Caller, agent: Make, sensor: Make, device: Device) -> None:
        made, assigned = await agent(), await sensor()
        await owner.patch(f"/sensors/{assigned['id']}", {"agent_id": made["id"]})
        assert (await owner.delete(f"/edge-agents/{made['id']}")).status == 204
        assert (await owner.get(f"/sensors/{assigned['id']}")).ok["agent_id"] is None
        assert (await device(made).get("/edge/config")).status == 401


class TestConfig:
    async def test_only_edge_agents(self, anonymous: Caller, owner: Caller, sensor: Make, device: Device) -> None:
        for caller in (anonymous, owner, device(await sensor())):
            assert (await caller.get("/edge/config")).status == 401

    async def test_own_sensors(self, owner: Caller, agent: Make, sensor: Make, device: Device, project: str) -> None:
        edge, default = await agent(), await agent(default=True)
        mine, free, deleted = await sensor(), await sensor(profile=None), await sensor()
        await owner.patch(f"/sensors/{mine['id']}", {"agent_id": edge["id"]})
        await owner.delete(f"/sensors/{deleted['id']}")
        config = (await device(edge).get("/edge/config")).ok
        assert config["agent"] == {"id": edge["id"], "name": edge["name"], "project_id": project, "default": False}
        profile = {"kind": "linear", "slope": 2.0, "intercept": 1.0, "input_range": None}
        version = {"version": 1, "valid_from": None, "valid_to": None, "payload": profile}
        expected = {"id": mine["id"], "name": mine["name"], "time_source": "device", "profiles": [version]}
        assert config["sensors"] == [expected]
        config = (await device(default).get("/edge/config")).ok
        assert [(one["id"], one["profiles"]) for one in config["sensors"]] == [(free["id"], [])]

    async def test_entity_tag(self, agent: Make, sensor: Make, device: Device) -> None:
        edge = device(await agent(default=True))
        first = await edge.get("/edge/config")
        held = await edge.get("/edge/config", If_None_Match=first.headers["ETag"])
        assert (held.status, held.body, held.headers["ETag"]) == (304, b"", first.headers["ETag"])
        await sensor()
        changed = await edge.get("/edge/config", If_None_Match=first.headers["ETag"])
        assert (changed.status, len(changed.body["sensors"])) == (200, 1)


class TestBrokerLogin:
    async def test_sensor_and_agent(
        self, anonymous: Caller, owner: Caller, agent: Make, sensor: Make, project: str
    ) -> None:
        edge, made = await agent(default=True), await sensor()
        login = {"username": made["id"], "password": made["token"]}
        account = {"kind": "sensor", "id": made["id"], "project_id": project, "agent_id": None, "default": False}
        assert (await anonymous.post("/broker/login", login)).ok == account
        await owner.patch(f"/sensors/{made['id']}", {"agent_id": edge["id"]})
        assert (await anonymous.post("/broker/login", login)).ok["agent_id"] == edge["id"]
        login = {"username": edge["id"], "password": edge["token"]}
        account = {"kind": "agent", "id": edge["id"], "project_id": project, "agent_id": None, "default": True}
        assert (await anonymous.post("/broker/login", login)).ok == account

    async def test_wrong(self, anonymous: Caller, owner: Caller, sensor: Make) -> None:
        made, other = await sensor(), await sensor()
        for username, password in (
            (made["id"], other["token"]),
            (made["id"], "x"),
            ("demo", made["token"]),
            (made["id"].upper(), made["token"]),
        ):
            answer = await anonymous.post("/broker/login", {"username": username, "password": password})
            assert (answer.status, answer.code) == (401, "wrong-broker-login")
        await owner.delete(f"/sensors/{made['id']}")
        answer = await anonymous.post("/broker/login", {"username": made["id"], "password": made["token"]})
        assert answer.status == 401
