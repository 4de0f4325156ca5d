"""Which of two good tokens stands in the file: whichever a device shows, it gets in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub.brokers.models import Account
from hub.brokers.overlaps import Overlaps
from tests.cases import cases

NOW = datetime(2026, 11, 27, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=1)


def rotated(number: int, until: datetime = UNTIL) -> Account:
    return Account("sensor", UUID(int=number), UUID(int=0), hash="new", old_hash="old", old_until=until)


def test_the_old_one_first_and_the_new_one_when_the_overlap_ends() -> None:
    overlaps, account = Overlaps(), rotated(1)
    assert overlaps.hash_of(account, NOW) == "old"
    assert overlaps.hash_of(account, UNTIL) == "new"


def test_one_that_ended_stands_no_more() -> None:
    overlaps = Overlaps()
    account = Account("sensor", UUID(int=1), UUID(int=0), hash="new", expires_at=UNTIL)
    assert overlaps.hash_of(account, UNTIL - timedelta(seconds=1)) == "new"
    assert overlaps.hash_of(account, UNTIL) is None


def test_the_old_one_has_its_turn_when_the_new_one_ends_first() -> None:
    overlaps, account = Overlaps(), replace(rotated(1), expires_at=NOW + timedelta(seconds=5))
    overlaps.refused([account], set(), NOW)
    assert overlaps.hash_of(account, NOW) == "new"
    assert overlaps.hash_of(account, NOW + timedelta(seconds=5)) == "old"
    assert overlaps.hash_of(account, UNTIL) is None


def test_a_refusal_gives_the_other_its_turn_but_not_twice_a_second() -> None:
    overlaps, account = Overlaps(), rotated(1)
    assert overlaps.refused([account], set(), NOW)
    assert overlaps.hash_of(account, NOW) == "new"
    assert not overlaps.refused([account], set(), NOW + timedelta(seconds=0.9))
    assert overlaps.refused([account], set(), NOW + timedelta(seconds=1))
    assert overlaps.hash_of(account, NOW) == "old"


def test_whoever_is_connected_or_has_one_token_is_left_alone() -> None:
    overlaps, account, other = Overlaps(), rotated(1), Account("sensor", UUID(int=2), UUID(int=0), hash="new")
    assert not overlaps.refused([account, other], {str(account.id)}, NOW)
    assert not overlaps.refused([account], set(), UNTIL)


def test_it_goes_on_with_what_was_written() -> None:
    overlaps, account, other = Overlaps(), rotated(1), rotated(2)
    overlaps.keep([account, other], {str(account.id): "new", str(other.id): "old"})
    assert [overlaps.hash_of(one, NOW) for one in (account, other)] == ["new", "old"]


def test_the_next_overlap_begins_anew() -> None:
    overlaps, account = Overlaps(), rotated(1)
    overlaps.refused([account], set(), NOW)
    overlaps.forget([account], UNTIL)
    assert overlaps.hash_of(rotated(1, UNTIL + timedelta(hours=1)), UNTIL) == "old"


@cases(40)
@given(
    shows=st.lists(st.sampled_from(["old", "new"]), min_size=1, max_size=6),
    pauses_s=st.lists(st.floats(0.3, 2.0), min_size=6, max_size=6),
)
def test_everybody_is_in_after_a_few_tries_whatever_they_show(shows: list[str], pauses_s: list[float]) -> None:
    overlaps = Overlaps()
    devices = [(rotated(number), token, pauses_s[number]) for number, token in enumerate(shows)]
    connected: set[str] = set()
    tries = sorted((pause * n, number) for number, (_, _, pause) in enumerate(devices) for n in range(1, 60))
    for at_s, number in tries:
        account, token, _ = devices[number]
        now = NOW + timedelta(seconds=at_s)
        if str(account.id) in connected:
            continue
        if overlaps.hash_of(account, now) == token:
            connected.add(str(account.id))
        else:
            overlaps.refused([one for one, _, _ in devices], connected, now)
    assert len(connected) == len(devices)
