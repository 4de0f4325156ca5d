"""Which agents take their sensors' messages."""

from uuid import UUID

from contract import topics
from hub.brokers.models import Account
from hub.brokers.takers import Takers

AGENT = Account("agent", UUID(int=10), UUID(int=1))
LOGIN, FIRST, SECOND = (topics.login(AGENT.id, instance) for instance in range(3))
HASHES = {LOGIN: "h", FIRST: "h", SECOND: "h"}


def test_nobody_does_before_its_first_session() -> None:
    assert not Takers().take(AGENT, HASHES)
    assert Takers({LOGIN: "h"}).take(AGENT, HASHES)


def test_nor_with_a_token_that_is_good_no_more() -> None:
    takers = Takers({LOGIN: "old"})
    assert not takers.take(AGENT, HASHES)
    assert takers.outdated(HASHES) == [LOGIN]
    assert takers.came(LOGIN, "h")
    assert takers.take(AGENT, HASHES)
    assert not takers.came(LOGIN, "h")


def test_of_several_that_share_all_must() -> None:
    takers = Takers({FIRST: "h", SECOND: "old"})
    assert not takers.take(AGENT, HASHES)
    assert takers.gone(SECOND)
    assert takers.take(AGENT, HASHES)


def test_a_session_of_a_login_that_is_gone_would_swallow_its_part() -> None:
    assert not Takers({FIRST: "h", SECOND: "h"}).take(AGENT, {LOGIN: "h", FIRST: "h"})


def test_after_a_restart_each_must_come_again() -> None:
    takers = Takers({LOGIN: "h"})
    assert takers.restarted()
    assert not takers.restarted()
    assert not takers.take(AGENT, HASHES)
    assert takers.came(LOGIN, "h")
    assert takers.take(AGENT, HASHES)


def test_it_is_written_down_for_the_next_run() -> None:
    again = Takers.parse(Takers({LOGIN: "h"}).dump().encode())
    assert again.take(AGENT, HASHES)
    assert not Takers.parse(b'{"').take(AGENT, HASHES)


def test_other_agents_sessions_are_forgotten() -> None:
    takers = Takers({LOGIN: "h", str(UUID(int=11)): "h", "hub": "h"})
    takers.forget([AGENT.id])
    assert (LOGIN in takers, str(UUID(int=11)) in takers, "hub" in takers) == (True, False, False)
