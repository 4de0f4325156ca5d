"""Who a request comes from, and who only says so."""

from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from hub.kit.arrival import Arrival
from hub.kit.peers import arrive, is_neighbour

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/64")]
PROXY = "10.0.0.1"


def arrival(peer: str | None, *headers: tuple[str, str], trusted: Any = TRUSTED) -> Arrival:
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers)).clone(remote=peer)
    return arrive(request, trusted, always_https=False)


def forwarded(*hops: str, peer: str = PROXY) -> str | None:
    return arrival(peer, *(("X-Forwarded-For", line) for line in hops)).address


class TestAddress:
    def test_without_trusted_proxies_nothing_is_believed(self) -> None:
        told = ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("X-Request-ID", "chosen-by-me")
        got = arrival(PROXY, *told, trusted=())
        assert (got.address, got.https) == (PROXY, False)
        assert got.request_id != "chosen-by-me"

    def test_nor_from_a_stranger(self) -> None:
        told = ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("X-Request-ID", "chosen-by-me")
        got = arrival("192.0.2.7", *told)
        assert (got.address, got.https) == ("192.0.2.7", False)
        assert got.request_id != "chosen-by-me"

    @pytest.mark.parametrize(
        ("hops", "client"),
        [
            ([], PROXY),
            (["203.0.113.9"], "203.0.113.9"),
            (["198.51.100.1, 203.0.113.9"], "203.0.113.9"),  # the first was sent by the client itself
            (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
            (["203.0.113.9, 10.1.1.1, 10.2.2.2"], "203.0.113.9"),
            (["198.51.100.1, 203.0.113.9 , 10.1.1.1"], "203.0.113.9"),
            (["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            (["203.0.113.9:4711"], "203.0.113.9"),
            (["[2001:db8:1::7]:4711"], "2001:db8:1::7"),
            (["2001:DB8:1::7, 2001:db8::1"], "2001:db8:1::7"),
            (["::ffff:203.0.113.9"], "203.0.113.9"),
        ],
    )
    def test_the_last_hop_that_is_no_proxy(self, hops: list[str], client: str) -> None:
        assert forwarded(*hops) == client

    @pytest.mark.parametrize(
        "garbage", ["", "unknown", "_hidden", "203.0.113.999", "<script>", "1", "a" * 5000, "10.0.0.1/8"]
    )
    def test_garbage_is_no_address_and_hides_what_stands_before_it(self, garbage: str) -> None:
        assert forwarded(garbage) == PROXY
        assert forwarded(f"198.51.100.1, {garbage}, 10.1.1.1") == "10.1.1.1"

    def test_a_proxy_that_is_reached_as_mapped_ipv6(self) -> None:
        assert forwarded("203.0.113.9", peer="::ffff:10.0.0.1") == "203.0.113.9"

    def test_a_peer_without_address(self) -> None:
        assert arrival(None, ("X-Forwarded-For", "203.0.113.9")).address is None

    @given(st.lists(st.text(max_size=60), max_size=5))
    def test_anything_may_be_sent(self, lines: list[str]) -> None:
        got = arrival(PROXY, *(("X-Forwarded-For", line) for line in lines), *(("X-Forwarded-Proto", x) for x in lines))
        assert got.address


class TestHttps:
    @pytest.mark.parametrize(
        ("told", "https"),
        [
            *((["https"], True), (["HTTPS"], True), (["http"], False), (["httpsx"], False), ([""], False), ([], False)),
            *((["http, https"], True), (["https, http"], False), (["https", "http"], False)),
        ],
    )
    def test_what_the_nearest_proxy_says(self, told: list[str], https: bool) -> None:
        assert arrival(PROXY, *(("X-Forwarded-Proto", line) for line in told)).https is https


class TestRequestId:
    def test_a_proxys_is_kept(self) -> None:
        assert arrival(PROXY, ("X-Request-ID", "4bf92f35-77b3-4da6")).request_id == "4bf92f35-77b3-4da6"

    @pytest.mark.parametrize("told", ["", "short", "a" * 65, "abcdefgh\n", "abcdefgh ijk", "abcdefgh;x", "ä" * 10])
    def test_only_a_harmless_one(self, told: str) -> None:
        own = arrival(PROXY, ("X-Request-ID", told)).request_id
        assert len(own) == 16
        assert own.isalnum()


class TestNeighbour:
    @pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
    def test_a_program_of_this_machine(self, peer: str) -> None:
        assert is_neighbour(make_mocked_request("GET", "/").clone(remote=peer))

    @pytest.mark.parametrize("peer", [None, "", "10.0.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1"])
    def test_nobody_else(self, peer: str | None) -> None:
        assert not is_neighbour(make_mocked_request("GET", "/").clone(remote=peer))

    @pytest.mark.parametrize(
        "header", ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP", "Via"]
    )
    def test_nor_a_proxy_that_speaks_for_another(self, header: str) -> None:
        request = make_mocked_request("GET", "/", headers=CIMultiDict({header: "1"})).clone(remote="127.0.0.1")
        assert not is_neighbour(request)
