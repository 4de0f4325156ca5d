import asyncio
import contextlib
import json
import time
from collections import Counter
from uuid import uuid4

import aiomqtt
import pytest
from aiohttp import web

from contract import topics
from edge.agent import serve
from edge.intake import NotLeft, _Connection
from edge.settings import EdgeSettings
from edge.spool import SpoolInUse
from tests.edge.parts import TOKEN, eventually

T = 1732348800


def answering_once(status_code):
    """Make an answer that refuses the first request only."""
    left = iter([web.Response(status=status_code)])
    return lambda: next(left, web.Response(status=204))


def answering(status_code, times=10**9, **headers):
    """Make an answer that refuses the first `times` batches."""
    left = iter(range(times))

    def answer(_):
        if next(left, None) is None:
            return None
        return web.json_response({"title": "for the test"}, status=status_code, headers=headers)

    return answer


async def test_a_stop_that_comes_with_the_brokers_answer_is_not_lost():
    connection = _Connection("127.0.0.1")
    answer = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(connection._wait_for(answer, 5))
    await asyncio.sleep(0)
    answer.set_result(None)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_broker_that_does_not_answer_is_given_up():
    with pytest.raises(aiomqtt.MqttError, match="timed out"):
        await _Connection("127.0.0.1")._wait_for(asyncio.Event().wait(), 0.01)


class TestIntake:
    async def test_samples_reach_the_hub_converted(self, hub, agent, device):
        linear = {"kind": "linear", "slope": 2, "intercept": 1}
        profiles = [{"version": 1, "valid_from": None, "valid_to": None, "payload": linear}]
        hub.config["sensors"] = [{"id": str(device.sensor_id), "name": "oven", "profiles": profiles}]
        async with agent.running():
            await device.send([(T + 0.000001, 1.5), (T + 0.25, -2)], seq=17, boot="a3")
            await eventually(lambda: hub.series, "a batch")
        assert hub.series == [
            {
                "sensor_id": str(device.sensor_id),
                "t": [T + 0.000001, T + 0.25],
                "v": [1.5, -2.0],
                "p": [4.0, -3.0],
                "profile_version": 1,
                "seq": 17,
                "boot": "a3",
            }
        ]

    async def test_an_unknown_sensor_is_forwarded_unconverted(self, hub, agent, device):
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        assert hub.series == [{"sensor_id": str(device.sensor_id), "t": [T], "v": [1.0], "profile_version": 0}]

    async def test_a_bare_number_gets_the_clock_s_time_once(self, hub, agent, device):
        hub.answer = answering(503, times=3)
        async with agent.running():
            await device.publish("23.5")
            await eventually(lambda: hub.series, "a batch")
        assert len(hub.batches) == 4
        assert len(set(hub.batches)) == 1
        ((_, value),) = hub.samples[str(device.sensor_id)]
        assert value == 23.5

    async def test_without_a_clock_it_is_the_arrival_that_counts(self, hub, agent, device):
        hub.config["sensors"] = [{"id": str(device.sensor_id), "name": "oven", "time_source": "arrival"}]
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        assert hub.series[0]["t"][0] == pytest.approx(time.time(), abs=30)
        # By this the hub knows that the time is the agent's and stands.
        assert hub.series[0]["profile_version"] == 0

    async def test_an_unreadable_message_is_put_aside_and_the_next_goes_on(self, hub, agent, device):
        async with agent.running():
            await device.publish('{"samples": [{"v": NaN}]}')
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        ((source, content),) = agent.spooled("select source, content from refused")
        assert source == topics.telemetry(device.sensor_id)
        assert content == b'{"samples": [{"v": NaN}]}'

    async def test_the_hub_hears_why_samples_are_rejected(self, hub, agent, device):
        async with agent.running():
            await device.publish(
                json.dumps({"samples": [{"t": T, "v": "warm"}, {"t": "soon", "v": 1}, {"t": T, "v": 2}]})
            )
            await eventually(lambda: hub.series, "a batch")
        (series,) = hub.series
        assert (series["t"], series["v"]) == ([T, None, T], [None, None, 2.0])
        codes = {index: reject["code"] for index, reject in series["rejects"].items()}
        assert codes == {"0": "value-not-a-number", "1": "time-invalid"}

    async def test_the_hub_hears_once_of_messages_that_cannot_be_read(self, hub, agent, device):
        hub.unreadable_answer = answering_once(503)
        await device.publish("old garbage", retain=True)
        async with agent.running():
            for payload in ("garbage", "[1]", "more garbage"):
                await device.publish(payload)
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        await asyncio.wait_for(serve(agent.settings, leaving=True), 20)
        parts = [part for report in hub.unreadable.values() for part in report]
        assert {part["sensor_id"] for part in parts} == {str(device.sensor_id)}
        counts = Counter()
        for part in parts:
            counts[part["code"]] += part["messages"]
        assert counts == {"telemetry-broken": 2, "invalid-payload": 1}
        assert agent.spooled("select count(*) from unreadable") == [(0,)]
        assert agent.spooled("select count(*) from refused") == [(4,)]

    async def test_an_old_retained_message_without_time_is_left_out(self, hub, agent, device):
        await device.publish("1", retain=True)
        async with agent.running():
            await device.publish("2")
            await eventually(lambda: hub.series, "a batch")
        assert [v for _, v in hub.samples[str(device.sensor_id)]] == [2.0]

    async def test_heartbeats_are_passed_on(self, hub, agent, device):
        async with agent.running():
            for _ in range(50):
                await device.beat()
            await eventually(lambda: hub.heartbeats, "a heartbeat")
        assert set(hub.heartbeats) == {device.sensor_id}
        assert len(hub.heartbeats) < 50

    @pytest.mark.parametrize("broker", ["mosquitto", "embedded"], indirect=True)
    async def test_a_full_spool_leaves_the_messages_at_the_broker(self, hub, agent, device):
        await hub.stop()
        async with agent.running(edge_spool_bytes=4096):
            await asyncio.gather(*(device.send([(T + i, i)]) for i in range(300)))
            await eventually(lambda: agent.shows("state", "full"), "a full spool")
            assert (await agent.status())["waiting_bytes"] <= 4096
            await hub.start()
            samples = hub.samples[str(device.sensor_id)]
            await eventually(lambda: len(set(samples)) == 300, "all samples")
        assert sorted(set(samples)) == sorted(device.acknowledged)

    async def test_where_it_is_set_a_full_spool_drops_the_oldest_and_the_hub_hears_how_many(self, hub, agent, device):
        hub.dropped_answer = answering_once(503)
        await hub.stop()
        async with agent.running(edge_spool_bytes=4096, edge_spool_full="drop-oldest"):
            for i in range(300):
                await device.send([(T + i, i)])
            await eventually(lambda: agent.shows("received", 300), "every message")
            status = await agent.status()
            assert (status["state"], status["dropped"]) == ("buffering", status["unreported"])
            assert status["waiting"] + status["dropped"] == 300
            await hub.start()
            await eventually(lambda: agent.shows("unreported", 0), "the report")
            await eventually(lambda: agent.shows("waiting", 0), "an empty spool")
        arrived = hub.samples[str(device.sensor_id)]
        gone = [sample for sample in device.acknowledged if sample not in arrived]
        parts = [part for report in hub.dropped.values() for part in report]
        assert {part["sensor_id"] for part in parts} == {str(device.sensor_id)}
        assert sum(part["samples"] for part in parts) == len(gone) == status["dropped"]
        assert min(part["first_us"] for part in parts) == gone[0][0] * 1_000_000
        assert max(part["last_us"] for part in parts) == gone[-1][0] * 1_000_000
        assert arrived == [sample for sample in device.acknowledged if sample not in gone]
        assert arrived[-1] == device.acknowledged[-1]


class TestForwarding:
    async def test_the_hub_away_and_back_again_order_and_content_hold(self, hub, agent, device):
        await hub.stop()
        async with agent.running():
            for i in range(40):
                await device.send([(T + i, i), (T + i + 0.5, -i)])
            await eventually(lambda: agent.shows("waiting", 80), "all spooled")
            assert (await agent.status())["state"] == "buffering"
            await hub.start()
            await eventually(lambda: len(hub.samples[str(device.sensor_id)]) >= 80, "all samples")
        assert hub.samples[str(device.sensor_id)] == device.acknowledged
        assert agent.spooled("select id from entry") == []

    async def test_a_frozen_batch_is_sent_again_identical_after_a_restart(self, hub, agent, device):
        hub.answer = answering(503)
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: hub.batches, "a first try")
        async with agent.running():
            await device.send([(T + 1, 2)])
            await eventually(lambda: agent.shows("waiting", 2), "both spooled")
            tries = len(hub.batches)
            await eventually(lambda: len(hub.batches) > tries, "a try after the restart")
            hub.answer = None
            await eventually(lambda: len(hub.samples[str(device.sensor_id)]) == 2, "both samples")
        assert len(set(hub.batches)) == 2
        assert len({batch_id for batch_id, _ in hub.batches}) == 2
        assert hub.samples[str(device.sensor_id)] == device.acknowledged

    @pytest.mark.parametrize("final", [400, 413, 422])
    async def test_one_poisonous_message_does_not_cost_its_neighbours(self, hub, agent, device, final):
        def answer(batch):
            if any(666.0 in series["v"] for series in batch["series"]):
                return web.json_response({"title": "poison"}, status=final)
            return None

        await hub.stop()
        hub.answer = answer
        async with agent.running():
            for i in range(20):
                await device.send([(T + i, 666 if i == 13 else i)])
            await eventually(lambda: agent.shows("waiting", 20), "all spooled")
            await hub.start()
            await eventually(lambda: len(hub.samples[str(device.sensor_id)]) == 19, "the others")
            await eventually(lambda: agent.shows("waiting", 0), "an empty spool")
            assert (await agent.status())["refused"] == 1
        assert hub.samples[str(device.sensor_id)] == [s for s in device.acknowledged if s[1] != 666]
        ((code, answer_text, content),) = agent.spooled("select status, answer, content from refused")
        assert code == final
        assert "poison" in answer_text
        assert json.loads(content)["series"][0]["v"] == [666.0]

    async def test_a_judged_batch_is_not_sent_in_halves(self, hub, agent, device):
        await hub.stop()
        async with agent.running():
            for _ in range(4):
                await device.publish(json.dumps({"samples": [{"t": T, "v": None}]}))
            await eventually(lambda: agent.shows("waiting", 4), "all spooled")
            await hub.start()
            await eventually(lambda: agent.shows("waiting", 0), "an empty spool")
        assert len(set(hub.batches)) <= 4
        assert all(code == 422 for (code,) in agent.spooled("select status from refused"))

    @pytest.mark.parametrize("code", [401, 403, 404, 429, 500, 503])
    async def test_anything_else_is_tried_again(self, hub, agent, device, code):
        hub.answer = answering(code, times=2, **{"Retry-After": "0"})
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        assert len(hub.batches) == 3
        assert len(set(hub.batches)) == 1

    async def test_a_receipt_for_something_else_is_none(self, hub, agent, device):
        answers = iter([web.json_response({"batch_id": "other"}, status=202), web.Response(text="<html>", status=202)])
        hub.answer = lambda _: next(answers, None)
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        assert len(hub.batches) == 3


class TestConfiguration:
    async def test_it_starts_with_the_cached_profiles_while_the_hub_is_away(self, hub, agent, device):
        linear = {"kind": "linear", "slope": 10, "intercept": 0}
        hub.config["sensors"] = [{"id": str(device.sensor_id), "profiles": [{"version": 1, "payload": linear}]}]
        async with agent.running():
            await eventually(lambda: 304 in hub.config_answers, "an unchanged configuration")
        await hub.stop()
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: agent.shows("waiting", 1), "spooled")
            await hub.start()
            await eventually(lambda: hub.series, "a batch")
        assert hub.series[0]["p"] == [10.0]
        assert (agent.settings.folder / "config.json").stat().st_mode & 0o077 == 0

    async def test_a_new_profile_is_used_without_a_restart(self, hub, agent, device):
        async with agent.running():
            linear = {"kind": "linear", "slope": 3, "intercept": 0}
            hub.config["sensors"] = [{"id": str(device.sensor_id), "profiles": [{"version": 1, "payload": linear}]}]
            await eventually(lambda: agent.shows("sensors", 1), "the sensor")
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")
        assert hub.series[0]["p"] == [3.0]

    async def test_a_damaged_cache_is_no_reason_not_to_start(self, hub, agent, device):
        agent.settings.folder.mkdir(parents=True)
        (agent.settings.folder / "config.json").write_bytes(b'{"etag": ')
        await hub.stop()
        async with agent.running():
            await device.send([(T, 1)])
            await eventually(lambda: agent.shows("waiting", 1), "spooled")


class TestLeaving:
    async def test_what_its_session_holds_is_taken_and_the_session_ends(self, hub, agent, device, broker):
        async with agent.running():
            pass
        for i in range(50):
            await device.send([(T + i, i)])
        await asyncio.wait_for(serve(agent.settings, leaving=True), 20)
        assert hub.samples[str(device.sensor_id)] == device.acknowledged
        identity = str(agent.settings.edge_agent_id)
        async with aiomqtt.Client(
            "127.0.0.1", broker.port, username=identity, password=TOKEN, identifier=identity, clean_session=False
        ) as client:
            await device.send([(T + 100, 100)])
            await client.subscribe(topics.status(identity))  # answered after what was sent before it
            assert len(client.messages) == 0

    async def test_without_a_broker_it_says_so(self, hub, agent, broker):
        await broker.stop()
        with pytest.RaisesGroup(NotLeft):
            await serve(agent.settings, leaving=True)


class TestLife:
    @pytest.mark.slow
    @pytest.mark.parametrize("broker", ["mosquitto", "embedded"], indirect=True)
    async def test_killed_three_times_under_flow_nothing_is_lost(self, hub, agent, device):
        process = await agent.start()
        samples = hub.samples[str(device.sensor_id)]

        async def flow():
            for i in range(160):
                await asyncio.gather(*(device.send([(T + i + k / 16, i)]) for k in range(10)))

        flowing = asyncio.create_task(flow())
        for share in (200, 600, 1000):
            await eventually(lambda share=share: len(samples) > share, "flow")
            process.kill()
            await process.wait()
            process = await agent.start()
        await flowing
        await eventually(lambda: len(set(samples)) == 1600, "every sample")
        assert set(samples) == set(device.acknowledged)

    async def test_a_stop_is_told_apart_from_a_death(self, hub, agent):
        process = await agent.start()
        process.terminate()
        assert await process.wait() == 0
        assert (await agent.status())["state"] == "stopped"

    async def test_its_death_is_seen_on_the_status_topic(self, hub, agent):
        process = await agent.start()
        process.kill()
        await process.wait()
        await eventually(lambda: agent.shows("state", "offline"), "the last will")

    async def test_a_second_agent_on_the_same_spool_is_refused(self, hub, agent):
        async with agent.running():
            with pytest.raises(SpoolInUse, match="another agent uses"):
                await serve(agent.settings.model_copy(update={"edge_agent_id": uuid4()}))

    async def test_a_lost_broker_connection_is_taken_up_again(self, hub, agent, device, broker):
        async with agent.running():
            # The same client id a second time: the broker throws the agent out.
            identity = str(agent.settings.edge_agent_id)
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1", broker.port,
                    username=identity, password=TOKEN, identifier=identity, clean_session=False,
                ):  # fmt: skip
                    pass
            await device.send([(T, 1)])
            await eventually(lambda: hub.series, "a batch")


def test_settings_want_a_token(tmp_path):
    with pytest.raises(ValueError, match="ETP_EDGE_TOKEN"):
        EdgeSettings(_env_file=None, edge_agent_id=uuid4())
    file = tmp_path / "token"
    file.write_text("secret\n")
    assert EdgeSettings(_env_file=None, edge_agent_id=uuid4(), edge_token_file=file).read_token() == "secret"
