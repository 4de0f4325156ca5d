"""A real Mosquitto follows the hub: who gets in, whose session ends, and that nothing is acknowledged and gone."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiohttp import web

from contract import topics
from hub.brokers.keeper import Keeper
from hub.kit.context import HUB
from hub.kit.db import Tx
from tests.hub.brokers.conftest import admitted, agent_of, eventually, session
from tests.hub.callers import Caller
from tests.hub.conftest import Make
from tests.hub.second_factor import recovery_code_of
from tests.mosquitto import Mosquitto

pytestmark = pytest.mark.usefixtures("keeper")

Rotate = Callable[..., Awaitable[str]]


@pytest.fixture
def rotate(app: web.Application, owner: Caller, db: Tx) -> Rotate:
    """Rotate a device's token and return the new one."""

    async def rotate(kind: str, device: dict[str, Any], **body: Any) -> str:
        code = await recovery_code_of(app, db, owner)
        return (await owner.post(f"/{kind}/{device['id']}/rotate-token", body, X_OTP=code)).ok["token"]

    return rotate


@pytest.fixture
async def taker(keeper: Keeper, mosquitto: Mosquitto, agent: Make) -> dict[str, Any]:
    """A default agent whose session takes messages while it is away."""
    made = await agent(default=True)
    await let_in(mosquitto, made)
    async with agent_of(mosquitto, made):
        return made


async def let_in(mosquitto: Mosquitto, device: dict[str, Any], token: str | None = None) -> None:
    await eventually(lambda: admitted(mosquitto, device["id"], token or device["token"]), "a log-in")


async def shut_out(mosquitto: Mosquitto, device: dict[str, Any], token: str | None = None) -> None:
    async def refused() -> bool:
        return not await admitted(mosquitto, device["id"], token or device["token"])

    await eventually(refused, "a refusal")


@contextlib.asynccontextmanager
async def ended_by_the_broker(mosquitto: Mosquitto, device: dict[str, Any]) -> AsyncIterator[None]:
    """Hold a session that Mosquitto is to end for what happens meanwhile."""
    try:
        async with session(mosquitto, device) as client:
            yield
            async with asyncio.timeout(10):
                await anext(client.messages)
    except aiomqtt.MqttError:
        return
    raise AssertionError("the session goes on")


async def payloads(client: aiomqtt.Client, count: int) -> list[bytes]:
    """Return the next messages of a session."""
    async with asyncio.timeout(10):
        return [bytes((await anext(client.messages)).payload) for _ in range(count)]


@pytest.mark.usefixtures("taker")
class TestFollowing:
    async def test_a_new_device_gets_in_and_a_stranger_does_not(
        self, mosquitto: Mosquitto, sensor: Make, taker: dict[str, Any]
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        await let_in(mosquitto, {"id": topics.login(taker["id"], 1), "token": taker["token"]})
        assert not await admitted(mosquitto, made["id"], taker["token"])
        assert not await admitted(mosquitto, topics.login(made["id"], 1), made["token"])
        assert not await admitted(mosquitto, "hub", "")

    async def test_a_deleted_sensor_s_session_ends_and_no_other(
        self, mosquitto: Mosquitto, owner: Caller, sensor: Make
    ) -> None:
        gone, kept = await sensor(), await sensor()
        await let_in(mosquitto, gone)
        await let_in(mosquitto, kept)
        began = mosquitto.log.count(f"as {kept['id']} (")
        async with session(mosquitto, kept) as other:
            async with ended_by_the_broker(mosquitto, gone):
                assert (await owner.delete(f"/sensors/{gone['id']}")).status == 204
            await shut_out(mosquitto, gone)
            await other.publish(topics.telemetry(kept["id"]), "1", qos=1)
        assert mosquitto.log.count(f"as {kept['id']} (") == began + 1

    async def test_a_deleted_project_s_devices_are_out(
        self, mosquitto: Mosquitto, owner: Caller, sensor: Make, taker: dict[str, Any], project: str
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        assert (await owner.delete(f"/projects/{project}")).status == 204
        await shut_out(mosquitto, made)
        await shut_out(mosquitto, taker)

    async def test_a_rotated_token_ends_the_session_of_the_old_one(
        self, mosquitto: Mosquitto, sensor: Make, rotate: Rotate
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        async with ended_by_the_broker(mosquitto, made):
            renewed = await rotate("sensors", made)
        await let_in(mosquitto, made, renewed)
        assert not await admitted(mosquitto, made["id"], made["token"])

    async def test_a_token_that_ends_takes_its_session_along(
        self, mosquitto: Mosquitto, owner: Caller, sensor: Make
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        async with ended_by_the_broker(mosquitto, made):
            soon = datetime.now(UTC) + timedelta(seconds=0.2)
            assert (await owner.patch(f"/sensors/{made['id']}", {"token_expires_at": soon.isoformat()})).status == 200
        await shut_out(mosquitto, made)
        await owner.patch(f"/sensors/{made['id']}", {"token_expires_at": None})
        await let_in(mosquitto, made)

    async def test_a_sensor_from_before_gets_its_hash_from_the_sealed_token(
        self, mosquitto: Mosquitto, sensor: Make, db: Tx
    ) -> None:
        made = await sensor()
        await db.execute("update sensor set broker_hash = null")
        await db.execute("update registry_version set version = version + 1")
        await let_in(mosquitto, made)
        assert await db.fetchval("select broker_hash like '$7$%' from sensor")

    async def test_what_is_written_while_mosquitto_still_reads_is_read_too(
        self, mosquitto: Mosquitto, sensor: Make
    ) -> None:
        """A signal that comes while it reads is forgotten by it."""
        passwords = mosquitto.folder / "accounts" / "passwd"
        known = passwords.read_text()
        name, _, password = known.splitlines()[-1].partition(":")
        passwords.write_text(known + "".join(f"{name}{i}:{password}\n" for i in range(100_000)))
        reads = mosquitto.log.count("Reloading config.")
        os.kill(int(mosquitto.pid_file.read_text()), signal.SIGHUP)
        await eventually(lambda: mosquitto.log.count("Reloading config.") > reads, "a reading that takes long")
        made = await sensor()
        await eventually(lambda: made["id"] in passwords.read_text(), "the device in the file")
        await let_in(mosquitto, made)

    async def test_a_restarted_mosquitto_has_them_too(
        self, mosquitto: Mosquitto, taker: dict[str, Any], sensor: Make
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        await mosquitto.kill()
        later = await sensor()
        await mosquitto.start()
        async with agent_of(mosquitto, taker):
            await let_in(mosquitto, made)
            await let_in(mosquitto, later)


class TestTaking:
    """A sensor is let in while an agent takes what it sends, so that nothing is acknowledged and gone."""

    async def test_nobody_sends_before_an_agent_has_subscribed(
        self, mosquitto: Mosquitto, sensor: Make, agent: Make
    ) -> None:
        made, edge = await sensor(), await agent(default=True)
        await let_in(mosquitto, edge)
        assert not await admitted(mosquitto, made["id"], made["token"])
        async with agent_of(mosquitto, edge):
            await let_in(mosquitto, made)
        assert await admitted(mosquitto, made["id"], made["token"])

    async def test_each_message_goes_to_the_agent_it_is_assigned_to(
        self, mosquitto: Mosquitto, owner: Caller, sensor: Make, agent: Make, taker: dict[str, Any]
    ) -> None:
        edge, mine, free = await agent(), await sensor(), await sensor()
        await let_in(mosquitto, edge)
        await let_in(mosquitto, mine)
        await owner.patch(f"/sensors/{mine['id']}", {"agent_id": edge["id"]})
        await shut_out(mosquitto, mine)  # nobody takes its messages yet
        async with agent_of(mosquitto, edge) as own, agent_of(mosquitto, taker) as default:
            for number, device in enumerate((mine, free)):
                await let_in(mosquitto, device)
                async with session(mosquitto, device) as client:
                    await client.publish(topics.telemetry(device["id"]), str(number), qos=1)
            assert await payloads(own, 1) == [b"0"]
            assert await payloads(default, 1) == [b"1"]

    async def test_while_an_agent_is_away_its_session_takes_them(
        self, mosquitto: Mosquitto, owner: Caller, sensor: Make, taker: dict[str, Any]
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        async with session(mosquitto, made) as client:
            await client.publish(topics.telemetry(made["id"]), "1", qos=1)
            later = await sensor()
            await let_in(mosquitto, later)  # the accounts were read anew meanwhile
            await client.publish(topics.telemetry(made["id"]), "2", qos=1)
        async with agent_of(mosquitto, taker) as edge:
            assert await payloads(edge, 2) == [b"1", b"2"]

    async def test_a_rotated_agent_s_sensors_wait_until_it_is_back(
        self, mosquitto: Mosquitto, sensor: Make, taker: dict[str, Any], rotate: Rotate
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        async with session(mosquitto, made) as client:
            await client.publish(topics.telemetry(made["id"]), "1", qos=1)
        async with ended_by_the_broker(mosquitto, made):
            renewed = await rotate("edge-agents", taker)
        # What it would send now nobody could take.
        assert not await admitted(mosquitto, made["id"], made["token"])
        async with agent_of(mosquitto, taker, renewed) as edge:
            await let_in(mosquitto, made)
            async with session(mosquitto, made) as client:
                await client.publish(topics.telemetry(made["id"]), "2", qos=1)
            assert await payloads(edge, 2) == [b"1", b"2"]

    async def test_the_next_keeper_knows_who_takes_them(
        self, app: web.Application, mosquitto: Mosquitto, sensor: Make, taker: dict[str, Any], tmp_path: Path
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        for name, known in (("next", True), ("new", False)):
            folder = tmp_path / name
            shutil.copytree(mosquitto.folder / "accounts", folder)
            if not known:
                (folder / "sessions.json").unlink()
            hub, pid_file = app[HUB], tmp_path / "none"
            keeper = Keeper(hub.db, hub.vault, hub.clock, folder=folder, pid_file=pid_file, instances=1, poll_s=1)
            await keeper.refresh()
            assert (made["id"] in (folder / "passwd").read_text()) is known
            assert taker["id"] in (folder / "passwd").read_text()


class TestOverlap:
    async def test_both_tokens_get_in_and_no_session_ends_for_another_s_sake(
        self, mosquitto: Mosquitto, sensor: Make, taker: dict[str, Any], rotate: Rotate
    ) -> None:
        made, neighbour = await sensor(), await sensor()
        await let_in(mosquitto, made)
        await let_in(mosquitto, neighbour)
        async with session(mosquitto, made) as client:
            renewed = await rotate("sensors", made, overlap_s=600)
            for number in range(3):
                assert not await admitted(mosquitto, neighbour["id"], "wrong")
                await client.publish(topics.telemetry(made["id"]), str(number), qos=1)
                await asyncio.sleep(0.2)  # time for the keeper to do the wrong thing
        await let_in(mosquitto, made, renewed)
        async with session(mosquitto, made, renewed) as client:
            assert not await admitted(mosquitto, neighbour["id"], "wrong")
            await client.publish(topics.telemetry(made["id"]), "2", qos=1)
        await let_in(mosquitto, made)
        assert f"Client {made['id']} disconnected, not authorised" not in mosquitto.log

    async def test_when_it_ends_the_old_one_is_out(
        self, mosquitto: Mosquitto, sensor: Make, taker: dict[str, Any], rotate: Rotate
    ) -> None:
        made = await sensor()
        await let_in(mosquitto, made)
        async with ended_by_the_broker(mosquitto, made):
            renewed = await rotate("sensors", made, overlap_s=1)
        await let_in(mosquitto, made, renewed)
        assert not await admitted(mosquitto, made["id"], made["token"])


class TestRestart:
    async def test_sensors_wait_until_their_agent_is_back(
        self, mosquitto: Mosquitto, taker: dict[str, Any], sensor: Make
    ) -> None:
        one = await sensor()
        await let_in(mosquitto, one)
        await mosquitto.kill()
        passwords = mosquitto.folder / "accounts" / "passwd"
        await eventually(lambda: one["id"] not in passwords.read_text(), "the sensor kept out")
        await mosquitto.start()
        await let_in(mosquitto, taker)
        await shut_out(mosquitto, one)
        async with agent_of(mosquitto, taker):
            await let_in(mosquitto, one)
