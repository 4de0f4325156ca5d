"""How an agent tells of itself: in its folder, on its topic, and to a person."""

import json
from uuid import UUID

import pytest
from typer.testing import CliRunner

from cli.main import app
from edge.agent import VERSION
from edge.inspection import NoAgentHere, look, tell
from edge.status import Status, describe, write
from tests.edge.parts import eventually

T = 1732348800
AGENT = UUID("0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1")


class TestFolder:
    def test_where_nobody_has_worked(self, tmp_path):
        with pytest.raises(NoAgentHere, match="ETP_EDGE_DIR"):
            look(tmp_path)

    async def test_of_an_agent_that_runs(self, hub, agent, device):
        await hub.stop()
        async with agent.running():
            await device.send([(T, 1), (T + 1, 2)])

            def waiting():
                status, alive = look(agent.settings.folder)
                return alive and (status.state, status.waiting) == ("buffering", 2)

            await eventually(waiting, "the status in the folder")
            status, _ = look(agent.settings.folder)
            assert (status.agent, status.version, status.sensors) == (agent.settings.edge_agent_id, VERSION, 0)
            assert 0 < status.oldest_age_s < 20
            assert "ClientConnectorError" in status.hub_problem
            shown = await agent.status()
            assert shown.keys() == json.loads((agent.settings.folder / "status.json").read_bytes()).keys()
        status, alive = look(agent.settings.folder)
        assert (status.state, alive) == ("stopped", False)

    async def test_of_one_that_was_killed_the_spool_itself_is_counted(self, hub, agent, device):
        await hub.stop()
        process = await agent.start()
        await device.send([(T, 1)])
        await eventually(lambda: agent.shows("waiting", 1), "spooled")
        process.kill()
        await process.wait()
        write(agent.settings.folder, Status("online", at=1.0, agent=AGENT, waiting=99))
        status, alive = look(agent.settings.folder)
        assert (status.waiting, alive) == (1, False)
        text, _ = tell(agent.settings.folder, as_json=False)
        assert "not running" in text
        assert "waiting    1 samples" in text


class TestHub:
    async def test_it_is_told_while_the_agent_runs_and_that_it_has_stopped(self, hub, agent, device):
        async with agent.running():
            await device.send([(T, 1), (T + 1, 2)])
            await eventually(lambda: hub.statuses and hub.statuses[-1]["forwarded"] == 2, "the hub's news")
            told = hub.statuses[-1]
            assert (told["state"], told["instance"], told["version"]) == ("online", 0, VERSION)
        assert hub.statuses[-1]["state"] == "stopped"

    async def test_an_agent_stops_while_it_is_away(self, hub, agent):
        async with agent.running():
            await hub.stop()
        assert look(agent.settings.folder)[0].state == "stopped"


class TestText:
    def test_of_a_quiet_agent(self):
        status = Status("online", at=98.0, agent=AGENT, version="1.2", spool_bytes=1 << 31, received=12_345, sensors=3)
        assert describe(status, alive=True, now_s=100.0).splitlines() == [
            f"edge agent {AGENT}: online",
            "  as of      2 s ago, version 1.2",
            "  waiting    0 samples, 0 B of 2.0 GiB (0 %)",
            "  received   12,345 samples of 3 known sensors since its start",
            "  forwarded  0, of which the hub rejected 0",
        ]

    def test_of_one_in_trouble(self):
        status = Status(
            "full", agent=AGENT, instance=2, waiting=1000, waiting_bytes=3 << 20, spool_bytes=4 << 20,
            oldest_age_s=7200, dropped=5, unreported=4, refused=1, hub_problem="HTTP 503", blocked="the spool is full",
        )  # fmt: skip
        text = describe(status, alive=True, now_s=0.0)
        assert text.startswith(f"edge agent {AGENT}, instance 2: full, samples wait at the broker\n")
        assert "1,000 samples, 3.0 MiB of 4.0 MiB (75 %), the oldest for 2.0 h" in text
        assert "dropped    5 since its start; 4 not yet told to the hub" in text
        assert "put aside  1 messages" in text
        assert "hub        HTTP 503" in text
        assert "spool      the spool is full" in text


class TestCommand:
    """It needs no token, and says by its exit code whether the agent runs."""

    def ask(self, folder, *options):
        answer = CliRunner().invoke(app, ["edge", "status", *options], env={"ETP_EDGE_DIR": str(folder)})
        return answer.exit_code, answer.output

    async def test_of_one_that_runs(self, hub, agent):
        async with agent.running():
            code, output = self.ask(agent.settings.folder, "--json")
            told = json.loads(output)
        assert (code, told["alive"], told["agent"]) == (0, True, str(agent.settings.edge_agent_id))

    async def test_of_one_that_does_not(self, hub, agent, tmp_path):
        async with agent.running():
            pass
        code, output = self.ask(tmp_path / "elsewhere", "--dir", str(agent.settings.folder))
        assert (code, ": stopped" in output) == (1, True)

    def test_of_none(self, tmp_path):
        code, output = self.ask(tmp_path)
        assert (code, "no edge agent has worked" in output) == (2, True)
