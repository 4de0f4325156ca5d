"""Channels that nobody knows: proposed, held, accepted or ignored by an editor."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from hub.channels import tidy
from hub.channels.parts import CHANNELS
from hub.kit.context import HUB
from hub.kit.db import Tx
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.channels.conftest import SENSOR, Proposals, Wait, now_ns, samples_of, write
from tests.hub.conftest import Device, Make
from tests.hub.races import until


class TestPropose:
    async def test_what_nobody_knows_is_proposed_and_held(
        self, gateway: Caller, proposals: Proposals, owner: Caller, project: str
    ) -> None:
        t = now_ns()
        answer = await write(gateway, f"bath,lab=3 inlet=21.5,outlet=22 {t}", f"bath,lab=3 inlet=21.75 {t + 1_000_000}")
        assert (answer.status, answer.body) == (204, b"")
        found = await proposals()
        assert set(found) == {"bath,lab=3/inlet", "bath,lab=3/outlet"}
        inlet = found["bath,lab=3/inlet"]
        assert (inlet["samples"], inlet["held"], inlet["expired"], inlet["last_raw"]) == (2, 2, 0, 21.75)
        assert (inlet["format"], inlet["source_kind"], inlet["source_name"]) == ("line protocol", "agent", "telegraf")
        assert (await owner.get(f"/projects/{project}/sensors")).ok["items"] == [], "never silently a sensor"

    async def test_it_is_proposed_once(self, gateway: Caller, proposals: Proposals) -> None:
        for i in range(3):
            await write(gateway, f"m v={i} {now_ns()}")
        (found,) = (await proposals()).values()
        assert (found["samples"], found["held"]) == (3, 3)

    async def test_many_at_once_propose_it_once(self, gateway: Caller, proposals: Proposals) -> None:
        t = now_ns()
        answers = await asyncio.gather(*(write(gateway, f"m v={i} {t + i}") for i in range(20)))
        assert {answer.status for answer in answers} == {204}
        (found,) = (await proposals()).values()
        assert found["held"] == 20

    async def test_texts_alone_are_no_proposal(self, gateway: Caller, proposals: Proposals) -> None:
        assert (await write(gateway, f'm state="running" {now_ns()}')).status == 204
        assert await proposals() == {}

    async def test_viewers_see_no_raw_value_unless_it_is_open(
        self, gateway: Caller, viewer: Caller, owner: Caller, project: str, stranger: Caller
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        (seen,) = (await viewer.get(f"/projects/{project}/proposals")).ok["items"]
        assert "last_raw" not in seen
        await owner.patch(f"/projects/{project}/settings", {"raw_policy": "open"})
        (seen,) = (await viewer.get(f"/projects/{project}/proposals")).ok["items"]
        assert seen["last_raw"] == 1.0
        assert (await stranger.get(f"/projects/{project}/proposals")).status == 404

    async def test_of_a_long_list_each_page_follows(self, gateway: Caller, editor: Caller, project: str) -> None:
        await write(gateway, *(f"m{i} v=1 {now_ns()}" for i in range(5)))
        first = (await editor.get(f"/projects/{project}/proposals?limit=3")).ok
        rest = (await editor.get(f"/projects/{project}/proposals?limit=3&cursor={first['next_cursor']}")).ok
        names = [item["name"] for item in (*first["items"], *rest["items"])]
        assert sorted(names) == [f"m{i}/v" for i in range(5)]


class TestAccept:
    async def test_what_was_held_keeps_its_time_though_the_device_has_no_clock(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        t = now_ns()
        await write(gateway, f"m v=1 {t - 2_000_000_000}", f"m v=2 {t - 1_000_000_000}")
        path = f"/proposals/{(await proposals())['m/v']['id']}/accept"
        made = (await owner.post(path, {"sensor": SENSOR | {"time_source": "arrival"}})).ok["sensor"]
        await settled(made["id"], 2)
        held = (await samples_of(owner, made["id"]))["t"]
        assert held == pytest.approx([t / 1e9 - 2, t / 1e9 - 1], rel=0, abs=1e-5)
        # From now on the hub's time counts.
        await write(gateway, f"m v=3 {t - 60_000_000_000}")
        await settled(made["id"], 3)
        assert (await samples_of(owner, made["id"]))["t"][2] >= t / 1e9

    async def test_whoever_is_no_editor_cannot(
        self, gateway: Caller, proposals: Proposals, viewer: Caller, stranger: Caller, anonymous: Caller
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        path = f"/proposals/{(await proposals())['m/v']['id']}/accept"
        for caller, status in ((anonymous, 401), (stranger, 404), (viewer, 403), (gateway, 401)):
            assert (await caller.post(path, {"sensor": SENSOR})).status == status

    async def test_held_and_later_samples_are_the_new_sensors(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        t = now_ns()
        await write(gateway, *(f"bath inlet={i} {t + i * 1_000_000}" for i in range(50)))
        proposal = (await proposals())["bath/inlet"]
        accepted = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok
        sensor = accepted["sensor"]
        assert (sensor["name"], sensor["agent_id"]) == ("inlet", gateway.id)
        assert sensor["token"], "an owner sees it, once"
        assert (accepted["proposal"]["state"], accepted["proposal"]["sensor_id"]) == ("bound", sensor["id"])
        assert (await write(gateway, f"bath inlet=50 {t + 50 * 1_000_000}")).status == 204
        ledger = await settled(sensor["id"], 51)
        assert (ledger["received"], ledger["stored"], ledger["duplicates"], ledger["rejected"]) == (51, 51, 0, 0)
        read = await samples_of(owner, sensor["id"])
        assert read["raw"] == [float(i) for i in range(51)]
        assert await proposals() == {}
        assert (await proposals("bound"))["bath/inlet"]["held"] == 0

    async def test_a_repeated_accept_changes_nothing(
        self, gateway: Caller, proposals: Proposals, owner: Caller, project: str, settled: Wait
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        path = f"/proposals/{(await proposals())['m/v']['id']}/accept"
        bodies = [{"sensor": SENSOR | {"name": f"sensor {i}"}} for i in range(4)]
        answers = await asyncio.gather(*(owner.post(path, body) for body in bodies))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
        assert {answer.code for answer in answers} == {"", "proposal-settled"}
        (sensor,) = (await owner.get(f"/projects/{project}/sensors")).ok["items"]
        ledger = await settled(sensor["id"])
        assert (ledger["received"], ledger["stored"]) == (1, 1)

    async def test_it_may_be_a_sensor_that_exists(
        self, gateway: Caller, proposals: Proposals, editor: Caller, sensor: Make, settled: Wait, agent: Make
    ) -> None:
        mine, others = await sensor(), await sensor()
        other = await agent()
        await editor.patch(f"/sensors/{others['id']}", {"agent_id": other["id"]})
        await write(gateway, f"m v=1 {now_ns()}")
        path = f"/proposals/{(await proposals())['m/v']['id']}/accept"
        assert (await editor.post(path, {"sensor_id": others["id"]})).code == "sensor-of-another"
        accepted = (await editor.post(path, {"sensor_id": mine["id"]})).ok
        assert accepted["sensor"]["agent_id"] == gateway.id
        assert "token" not in accepted["sensor"]
        assert (await settled(mine["id"]))["stored"] == 1

    async def test_not_a_sensor_of_another_project(
        self, gateway: Caller, proposals: Proposals, owner: Caller, sensor: Make, other_project: str, login: Any
    ) -> None:
        elsewhere = await login("owner", in_project=other_project)
        body = {"name": "x", "type": "other", "input_unit": "V", "display_unit": "V"}
        foreign = (await elsewhere.post(f"/projects/{other_project}/sensors", body)).ok
        await write(gateway, f"m v=1 {now_ns()}")
        path = f"/proposals/{(await proposals())['m/v']['id']}/accept"
        assert (await owner.post(path, {"sensor_id": foreign["id"]})).status == 422
        assert (await owner.post(path, {"sensor_id": foreign["id"], "sensor": SENSOR})).status == 422
        assert (await owner.post(path, {})).status == 422

    async def test_it_is_a_fact(self, gateway: Caller, proposals: Proposals, owner: Caller, db: Tx) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        proposal = (await proposals())["m/v"]
        sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        await owner.post(f"/proposals/{proposal['id']}/ignore")
        facts = await db.fetch("select kind, details from fact where kind like 'proposal.%' order by id")
        assert [fact["kind"] for fact in facts] == ["proposal.accepted", "proposal.ignored"]
        assert (facts[0]["details"]["sensor_id"], facts[0]["details"]["channel"]) == (sensor["id"], "m/v")
        assert facts[1]["details"]["was"] == "bound"


class TestExactlyOnce:
    async def test_killed_between_append_and_letting_go(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait, db: Tx
    ) -> None:
        """The database refuses to let go of what is in the stream already: again and again, and still each once."""
        t = now_ns()
        for i in range(10):
            await write(gateway, f"m v={i} {t + i * 1_000_000}")
        await db.execute(
            """
            create function stays() returns trigger language plpgsql as $$
            begin raise exception 'killed here' using errcode = 'admin_shutdown'; end $$
            """
        )
        await db.execute("create trigger stays before delete on channel_held execute function stays()")
        try:
            proposal = (await proposals())["m/v"]
            sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
            assert (await settled(sensor["id"], 10))["stored"] == 10
            held = await db.fetchval("select count(*) from channel_held")
            assert held == 10, "nothing was let go of"
        finally:
            await db.execute("drop trigger stays on channel_held")
            await db.execute("drop function stays()")

        async def let_go() -> bool:
            return await db.fetchval("select count(*) from channel_held") == 0

        await until(let_go)
        ledger = await settled(sensor["id"], 10)
        assert (ledger["received"], ledger["stored"], ledger["duplicates"]) == (10, 10, 0)
        assert await db.fetchval("select held_bytes from channel_source") == 0

    async def test_writing_while_it_is_accepted(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        t, sent, done = now_ns(), 0, asyncio.Event()

        async def keep_writing() -> int:
            count = 0
            while not done.is_set():
                answer = await write(gateway, f"m v={count} {t + count * 1_000_000}")
                assert answer.status == 204
                count += 1
            return count

        writing = asyncio.create_task(keep_writing())
        found: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while not found:
                found = await proposals()
        sensor = (await owner.post(f"/proposals/{found['m/v']['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        await asyncio.sleep(0.3)
        done.set()
        sent = await writing
        ledger = await settled(sensor["id"], sent)
        assert (ledger["received"], ledger["stored"], ledger["duplicates"]) == (sent, sent, 0)

    async def test_times_that_the_intake_refuses_are_booked(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}", "m v=2 1000000000", f"m v=3 {now_ns() + 7_200_000_000_000}")
        proposal = (await proposals())["m/v"]
        sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        ledger = await settled(sensor["id"], 3)
        assert (ledger["received"], ledger["stored"], ledger["rejected"]) == (3, 1, 2)


class TestIgnore:
    async def test_whoever_is_no_editor_cannot(self, gateway: Caller, proposals: Proposals, viewer: Caller) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        assert (await viewer.post(f"/proposals/{(await proposals())['m/v']['id']}/ignore")).status == 403

    async def test_nothing_of_it_is_kept(self, gateway: Caller, proposals: Proposals, editor: Caller, db: Tx) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        proposal = (await proposals())["m/v"]
        ignored = (await editor.post(f"/proposals/{proposal['id']}/ignore")).ok
        assert (ignored["state"], ignored["held"]) == ("ignored", 0)
        assert (await write(gateway, f"m v=2 {now_ns()}")).status == 204
        assert await proposals() == {}
        assert await db.fetchval("select count(*) from channel_held") == 0
        assert await db.fetchval("select held_bytes from channel_source") == 0

    async def test_an_editor_may_think_again(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        path = f"/proposals/{(await proposals())['m/v']['id']}"
        wrong = (await owner.post(f"{path}/accept", {"sensor": SENSOR})).ok["sensor"]
        await settled(wrong["id"])
        await owner.post(f"{path}/ignore")
        right = (await owner.post(f"{path}/accept", {"sensor": SENSOR | {"name": "right"}})).ok["sensor"]
        await write(gateway, f"m v=2 {now_ns()}")
        assert (await settled(right["id"]))["stored"] == 1
        assert (await settled(wrong["id"]))["received"] == 1


class TestSensorsThatGo:
    async def test_a_deleted_sensors_channel_waits_again(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        proposal = (await proposals())["m/v"]
        sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        await settled(sensor["id"])
        await owner.delete(f"/sensors/{sensor['id']}")

        async def waits_again() -> bool:
            assert (await write(gateway, f"m v=2 {now_ns()}")).status == 204
            return "m/v" in await proposals()

        await until(waits_again)
        held = (await proposals())["m/v"]["held"]
        other = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        assert (await settled(other["id"]))["received"] == held == 1

    async def test_so_does_one_whose_sensor_went_to_another_agent(
        self, gateway: Caller, proposals: Proposals, owner: Caller, settled: Wait, agent: Make
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        proposal = (await proposals())["m/v"]
        sensor = (await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        await settled(sensor["id"])
        await owner.patch(f"/sensors/{sensor['id']}", {"agent_id": (await agent())["id"]})

        async def waits_again() -> bool:
            assert (await write(gateway, f"m v=2 {now_ns()}")).status == 204
            return "m/v" in await proposals()

        await until(waits_again)

    async def test_an_agents_channels_go_with_it(
        self, gateway: Caller, proposals: Proposals, owner: Caller, db: Tx
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}")
        assert (await owner.delete(f"/edge-agents/{gateway.id}")).status == 204
        assert await proposals() == {}
        assert await db.fetchval("select count(*) from channel_held") == 0


class TestBounds:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"proposals_per_device": 3, "proposal_bytes_per_device": 4096})

    async def test_a_gateway_that_invents_names(self, gateway: Caller, proposals: Proposals, db: Tx) -> None:
        assert (await write(gateway, *(f"m{i} v=1 {now_ns()}" for i in range(3)))).status == 204
        for _ in range(2):
            answer = await write(gateway, f"m0 v=2 {now_ns()}", *(f"n{i} v=1 {now_ns()}" for i in range(4)))
            assert answer.status == 400
            assert "too many channels" in answer.body["message"]
            assert "line 2" in answer.body["message"]
        found = await proposals()
        assert set(found) == {"m0/v", "m1/v", "m2/v"}
        assert found["m0/v"]["held"] == 3, "what is known goes on"
        facts = await db.fetch("select subject_id, details from fact where kind = 'proposals.full'")
        assert [(str(fact["subject_id"]), fact["details"]["limit"]) for fact in facts] == [(gateway.id, 3)]

    async def test_a_decision_makes_room(self, gateway: Caller, proposals: Proposals, owner: Caller) -> None:
        await write(gateway, *(f"m{i} v=1 {now_ns()}" for i in range(3)))
        proposal = (await proposals())["m0/v"]
        await owner.post(f"/proposals/{proposal['id']}/accept", {"sensor": SENSOR})
        assert (await write(gateway, f"n v=1 {now_ns()}")).status == 204

    async def test_the_oldest_samples_go_first(self, gateway: Caller, proposals: Proposals, db: Tx) -> None:
        for i in range(30):
            assert (await write(gateway, *(f"m v={j} {now_ns()}" for j in range(i * 10, i * 10 + 10)))).status == 204
        found = (await proposals())["m/v"]
        assert found["samples"] == 300 == found["held"] + found["expired"]
        assert found["expired"] > 0
        booked, held = await db.fetchrow("select held_bytes, (select sum(bytes) from channel_held) from channel_source")
        assert booked == held <= 4096
        newest = await db.fetchval("select raw from channel_held order by id desc limit 1")
        assert newest[-8:] == b"\x00\x00\x00\x00\x00\xb0\x72\x40", "299.0"


class TestTidy:
    async def test_after_a_day_it_is_gone(
        self, gateway: Caller, proposals: Proposals, app: web.Application, db: Tx
    ) -> None:
        await write(gateway, f"m v=1 {now_ns()}", f"m v=2 {now_ns()}")
        await db.execute("update channel_held set held_at = now() - interval '25 hours'")
        await write(gateway, f"m v=3 {now_ns()}")
        await tidy.tidy(app[HUB].db)
        found = (await proposals())["m/v"]
        assert (found["samples"], found["held"], found["expired"]) == (3, 1, 2)

    async def test_what_is_silent_for_a_month_makes_room(
        self, gateway: Caller, proposals: Proposals, app: web.Application, db: Tx
    ) -> None:
        await write(gateway, f"old v=1 {now_ns()}", f"new v=1 {now_ns()}")
        await db.execute("update channel set last_seen = now() - interval '31 days' where name = 'old/v'")
        await tidy.tidy(app[HUB].db)
        assert set(await proposals()) == {"new/v"}
        await app[CHANNELS].directory.refresh()
        assert (await write(gateway, f"old v=2 {now_ns()}")).status == 204
        assert (await proposals())["old/v"]["samples"] == 1


class TestSensorTokens:
    async def test_its_first_channel_is_the_sensor_itself(
        self, sensor: Make, device: Device, settled: Wait, proposals: Proposals
    ) -> None:
        made = await sensor()
        for i in range(2):
            assert (await write(device(made), f"esp temperature={i} {now_ns() + i * 1_000_000}")).status == 204
        assert (await settled(made["id"], 2))["stored"] == 2
        assert await proposals() == {}

    async def test_a_further_quantity_is_a_proposal(
        self, sensor: Make, device: Device, settled: Wait, proposals: Proposals, owner: Caller
    ) -> None:
        made = await sensor()
        await write(device(made), f"esp temperature=1 {now_ns()}")
        await write(device(made), f"esp humidity=40 {now_ns()}")
        await write(device(made), f"esp temperature=2,humidity=41 {now_ns() + 1_000_000}")
        assert (await settled(made["id"], 2))["received"] == 2
        found = await proposals()
        assert set(found) == {"esp/humidity"}
        assert (found["esp/humidity"]["source_kind"], found["esp/humidity"]["held"]) == ("sensor", 2)
        other = (await owner.post(f"/proposals/{found['esp/humidity']['id']}/accept", {"sensor": SENSOR})).ok["sensor"]
        await write(device(made), f"esp humidity=42 {now_ns() + 2_000_000}")
        assert (await settled(other["id"], 3))["stored"] == 3
        assert (await settled(made["id"], 2))["received"] == 2

    async def test_of_several_at_once_none_is_guessed(self, sensor: Make, device: Device, proposals: Proposals) -> None:
        await write(device(await sensor()), f"esp temperature=1,humidity=40 {now_ns()}")
        assert set(await proposals()) == {"esp/temperature", "esp/humidity"}
