from uuid import UUID

import pytest

from contract import topics

SENSOR = UUID("0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1")


@pytest.mark.parametrize(
    ("name", "kind"), [(topics.telemetry, "telemetry"), (topics.heartbeat, "heartbeat"), (topics.status, "status")]
)
def test_a_topic_reads_back_as_it_was_named(name, kind):
    assert topics.parse(name(SENSOR)) == (kind, SENSOR)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "etp/v1/telemetry",
        "etp/v1/telemetry/",
        "etp/v1/telemetry/x",
        f"etp/v2/telemetry/{SENSOR}",
        f"etp/v1/telemetry/{SENSOR}/more",
        f"/etp/v1/telemetry/{SENSOR}",
        f"etp/v1/edge/{SENSOR}",
        f"etp/v1/telemetry/{str(SENSOR).upper()}",
        f"etp/v1/telemetry/{SENSOR.hex}",
        f"etp/v1/telemetry/{{{SENSOR}}}",
    ],
)
def test_anything_else_is_no_topic(topic):
    assert topics.parse(topic) is None


def test_instances_of_an_agent_have_names_of_their_own():
    assert topics.login(SENSOR) == str(SENSOR)
    assert topics.login(SENSOR, 2) == f"{SENSOR}-2"
    assert topics.status(SENSOR, 2) == f"etp/v1/edge/{SENSOR}/status/2"
    assert topics.shared(SENSOR, topics.TELEMETRY_FILTER) == f"$share/{SENSOR}/etp/v1/telemetry/+"


@pytest.mark.parametrize("instance", [0, 1, 99])
def test_a_login_reads_back_as_it_was_named(instance):
    assert topics.parse_login(topics.login(SENSOR, instance)) == (SENSOR, instance)


@pytest.mark.parametrize(
    "user", ["", "hub", f"{SENSOR}-", f"{SENSOR}-0", f"{SENSOR}-01", f"{SENSOR}-x", f"{SENSOR}1", str(SENSOR).upper()]
)
def test_anything_else_is_no_login(user):
    assert topics.parse_login(user) is None
