"""Who a request comes from: the peer itself, or what proxies that are trusted tell of it."""

import re
import secrets
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from aiohttp import web

from hub.kit.arrival import Arrival

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
# A hop as some proxies write it: 192.0.2.7:4711, [2001:db8::7]:4711.
_HOP: Final = re.compile(r"\[(?P<six>[0-9A-Fa-f:.]+)\](?::\d+)?|(?P<four>[0-9.]+)(?::\d+)?|(?P<bare>[0-9A-Fa-f:.]+)")

_IDS_AT_ONCE: Final = 256
_ids: list[str] = []  # drawn in advance: the system's randomness costs a call each time

# What proxies write to tell for whom they speak.
_SPOKEN_FOR: Final = ("forwarded", "x-forwarded-", "x-real-ip", "via")


def arrive(request: web.BaseRequest, trusted: Sequence[Network], *, always_https: bool) -> Arrival:
    """Note where a request comes from; what its headers say of that counts only when a trusted proxy sent it."""
    always_https = always_https or request.secure
    peer = _address(request.remote or "") if trusted else None
    if peer is None or not _among(peer, trusted):
        return Arrival(_new_id(), request.remote, always_https)
    hops = (hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(","))
    proto = ",".join(request.headers.getall("X-Forwarded-Proto", [])).rpartition(",")[2].strip().lower()
    told = request.headers.get("X-Request-ID", "")
    return Arrival(
        request_id=told if REQUEST_ID.fullmatch(told) else _new_id(),
        address=str(_client(peer, list(hops), trusted)),
        https=always_https or proto == "https",
    )


def _new_id() -> str:
    try:
        return _ids.pop()
    except IndexError:
        text = secrets.token_hex(8 * _IDS_AT_ONCE)
        _ids.extend(text[at : at + 16] for at in range(16, len(text), 16))
        return text[:16]


def is_neighbour(request: web.BaseRequest) -> bool:
    """Tell whether a program of this machine asks for itself: its address is local, and no proxy names another."""
    if any(name.lower().startswith(_SPOKEN_FOR) for name in request.headers):
        return False
    peer = _address(request.remote or "")
    return peer is not None and peer.is_loopback


def _client(peer: Address, hops: list[str], trusted: Sequence[Network]) -> Address:
    """Walk back from the peer to the first hop that is no trusted proxy; nothing beyond garbage is believed."""
    nearest = peer
    for hop in reversed(hops):
        address = _address(hop)
        if address is None:
            break
        nearest = address
        if not _among(address, trusted):
            break
    return nearest


def _address(text: str) -> Address | None:
    found = _HOP.fullmatch(text)
    if found is None:
        return None
    try:
        address = ip_address(found[found.lastgroup or "bare"])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _among(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
