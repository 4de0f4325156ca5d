"""The rules, for every kind of topic and account."""

import itertools
from uuid import UUID

import pytest

from broker.accounts import Account, may_leave, may_publish, may_receive, may_subscribe
from contract import topics

# The same in every test process, as they are part of the tests' names; with letters, so that case shows.
IDS = (UUID(int=0xABCDEF << 104 | n) for n in itertools.count())

PROJECT = next(IDS)
AGENT = Account("agent", next(IDS), PROJECT)
DEFAULT_AGENT = Account("agent", next(IDS), PROJECT, default=True)
SENSOR = Account("sensor", next(IDS), PROJECT, agent_id=AGENT.id)
UNASSIGNED = Account("sensor", next(IDS), PROJECT)
ELSEWHERE = Account("agent", next(IDS), next(IDS), default=True)


class TestMayPublish:
    @pytest.mark.parametrize(
        ("account", "topic", "allowed"),
        [
            (SENSOR, topics.telemetry(SENSOR.id), True),
            (SENSOR, topics.heartbeat(SENSOR.id), True),
            (SENSOR, topics.telemetry(UNASSIGNED.id), False),
            (SENSOR, topics.status(SENSOR.id), False),
            (SENSOR, f"{topics.telemetry(SENSOR.id)}/more", False),
            (SENSOR, topics.telemetry(SENSOR.id).upper(), False),
            (SENSOR, "etp/v1/telemetry/", False),
            (SENSOR, "elsewhere", False),
            (AGENT, topics.status(AGENT.id), True),
            (AGENT, topics.status(DEFAULT_AGENT.id), False),
            (AGENT, topics.telemetry(AGENT.id), False),
            (AGENT, topics.telemetry(SENSOR.id), False),
        ],
    )
    def test_own_topics_only(self, account, topic, allowed):
        assert may_publish(account, topic) is allowed


class TestMayLeave:
    def test_an_agent_may_leave_its_own_status(self):
        assert may_leave(AGENT, topics.status(AGENT.id))
        assert not may_leave(AGENT, topics.status(DEFAULT_AGENT.id))

    def test_a_sensor_may_leave_nothing(self):
        assert not may_leave(SENSOR, topics.telemetry(SENSOR.id))


class TestMaySubscribe:
    @pytest.mark.parametrize("topic_filter", [topics.TELEMETRY_FILTER, topics.HEARTBEAT_FILTER])
    def test_agents_to_the_two_wildcards(self, topic_filter):
        assert may_subscribe(AGENT, topic_filter)
        assert not may_subscribe(SENSOR, topic_filter)

    @pytest.mark.parametrize("topic_filter", ["#", "+/+/+/+", "etp/#", topics.STATUS_FILTER, "$SYS/#", ""])
    def test_to_nothing_else(self, topic_filter):
        assert not may_subscribe(AGENT, topic_filter)

    def test_a_sensor_not_even_to_its_own_topic(self):
        assert not may_subscribe(SENSOR, topics.telemetry(SENSOR.id))


class TestMayReceive:
    @pytest.mark.parametrize(
        ("agent", "sensor", "allowed"),
        [
            (AGENT, SENSOR, True),
            (DEFAULT_AGENT, SENSOR, False),
            (AGENT, UNASSIGNED, False),
            (DEFAULT_AGENT, UNASSIGNED, True),
            (ELSEWHERE, UNASSIGNED, False),
            (ELSEWHERE, SENSOR, False),
            (SENSOR, SENSOR, False),
            (AGENT, DEFAULT_AGENT, False),
        ],
    )
    def test_an_agents_own_sensors_only(self, agent, sensor, allowed):
        assert may_receive(agent, sensor) is allowed

    def test_an_assignment_across_projects_counts_for_nothing(self):
        assert not may_receive(ELSEWHERE, Account("sensor", next(IDS), PROJECT, agent_id=ELSEWHERE.id))
