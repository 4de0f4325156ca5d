"""Mosquitto's log and agents' statuses as the keeper reads them; the lines are those of Mosquitto 2.0."""

from uuid import UUID

import pytest

from contract import topics
from hub.brokers.notices import Came, Lives, Notice, Refused, Went, read_notice, read_status

AGENT = UUID("0d9cf9c2-4a52-4a49-9d0b-2a39c1d0b6a1")


@pytest.mark.parametrize(
    ("line", "notice"),
    [
        ("New connection from 127.0.0.1:1 on port 1883.", None),
        ("New client connected from 127.0.0.1:1 as a (p2, c1, k60, u'a').", Came("a", stays=False)),
        ("New client connected from ::1:1 as b (p5, c0, k60, u'b').", Came("b", stays=True)),
        ("Client a already connected, closing old connection.", None),
        ("Client a disconnected.", Went("a", revoked=False)),
        ("Client b disconnected, not authorised.", Went("b", revoked=True)),
        ("Client c has exceeded timeout, disconnecting.", Went("c", revoked=False)),
        ("Client d closed its connection.", Went("d", revoked=False)),
        ("Bad socket read/write on client e: Unknown error.", Went("e", revoked=False)),
        ("Client <unknown> disconnected, not authorised.", Refused()),
        ("", None),
    ],
)
def test_a_line_of_the_log(line: str, notice: Notice | None) -> None:
    assert read_notice(f"1795807759: {line}") == notice


def test_a_status() -> None:
    assert read_status(topics.status(AGENT)) == Lives(str(AGENT))
    assert read_status(topics.status(AGENT, 3)) == Lives(f"{AGENT}-3")
    for topic in (f"etp/v1/edge/{AGENT}", "etp/v1/edge/x/status", f"etp/v1/edge/{AGENT}/status/x", ""):
        assert read_status(topic) is None
