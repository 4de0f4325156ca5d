from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from edge.backoff import Backoff
from edge.hub_client import HubClient, Receipt, Unavailable
from tests.edge.parts import TOKEN


def client(hub, tokens=(TOKEN,)):
    left = iter(tokens)
    return HubClient(hub.url, lambda: next(left), 5.0)


async def test_a_token_that_was_rotated_is_read_again(hub):
    async with client(hub, ["old", TOKEN]) as asked:
        assert isinstance(await asked.send_batch("1", b'{"batch_id":"1","series":[]}'), Unavailable)
        assert isinstance(await asked.send_batch("1", b'{"batch_id":"1","series":[]}'), Receipt)


@pytest.mark.parametrize(
    ("header", "lowest", "highest"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("-3", 0, 0),
        ("86400", 300, 300),
    ],
)
async def test_retry_after_is_honoured_within_reason(hub, header, lowest, highest):
    hub.answer = lambda _: web.Response(status=503, headers={"Retry-After": header})
    async with client(hub) as asked:
        answer = await asked.send_batch("1", b'{"batch_id":"1","series":[]}')
    assert lowest <= answer.retry_after_s <= highest


async def test_retry_after_may_be_a_date(hub):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    hub.answer = lambda _: web.Response(status=503, headers={"Retry-After": date})
    async with client(hub) as asked:
        answer = await asked.send_batch("1", b'{"batch_id":"1","series":[]}')
    assert answer.retry_after_s == 300  # the longest that is waited


async def test_a_series_rejected_as_a_whole_is_no_reason_to_doubt_the_receipt(hub):
    rejected = [{"series": 0, "index": None, "code": "sensor-unknown", "detail": "no such sensor"}]
    hub.answer = lambda _: web.json_response(
        {"batch_id": "1", "accepted": 3, "duplicates": 0, "rejected": rejected}, status=202
    )
    async with client(hub) as asked:
        receipt = await asked.send_batch("1", b'{"batch_id":"1","series":[]}')
    assert isinstance(receipt, Receipt)
    assert [rejection.code for rejection in receipt.rejected] == ["sensor-unknown"]


async def test_no_redirect_carries_the_token_elsewhere(hub):
    hub.answer = lambda _: web.Response(status=307, headers={"Location": f"{hub.url}/elsewhere"})
    async with client(hub) as asked:
        assert (await asked.send_batch("1", b'{"batch_id":"1","series":[]}')).reason == "HTTP 307"


async def test_a_large_batch_is_compressed_and_arrives_as_it_was(hub):
    content = b'{"batch_id":"1","series":[%s]}' % b",".join(
        b'{"sensor_id":"%d","t":[1],"v":[2]}' % i for i in range(1000)
    )
    async with client(hub) as asked:
        receipt = await asked.send_batch("1", content)
    assert receipt.accepted == 1000
    assert hub.batches == [("1", content)]


class TestBackoff:
    def test_times_double_to_the_highest_and_begin_anew_after_a_success(self):
        backoff = Backoff(5.0, first_s=1.0, spread=lambda _, high: high)
        assert [backoff.next_s() for _ in range(4)] == [1.0, 2.0, 4.0, 5.0]
        backoff.reset()
        assert backoff.next_s() == 1.0

    def test_each_is_spread_over_its_upper_half(self):
        assert Backoff(5.0, first_s=1.0, spread=lambda low, _: low).next_s() == 0.5

    def test_the_other_side_s_wish_is_a_minimum(self):
        backoff = Backoff(5.0, first_s=1.0, spread=lambda low, _: low)
        assert backoff.next_s(at_least_s=60.0) == 60.0
