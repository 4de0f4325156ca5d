"""Sealed texts: their form, which key opens them, and those from before they had a header."""

import os

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.kit.key_ring import DataKey, KeyRing, Purpose, key_id_of

HEADLESS = DataKey(3, Purpose.HEADLESS, b"h" * 32)
KEYS = [
    DataKey(1, Purpose.SIGN, b"s" * 32),
    DataKey(2, Purpose.LOOKUP, b"l" * 32),
    HEADLESS,
    DataKey(4, Purpose.SEAL, b"4" * 32),
]
NEXT = DataKey(5, Purpose.SEAL, b"5" * 32)
RING = KeyRing.of(KEYS)


def as_before(plain: bytes, about: bytes, nonce: bytes | None = None) -> bytes:
    """Seal as the hub did before there were data keys."""
    nonce = os.urandom(12) if nonce is None else nonce
    return nonce + AESGCM(HEADLESS.key).encrypt(nonce, plain, about)


class TestSeal:
    def test_names_format_and_key(self) -> None:
        sealed = RING.seal(b"token", b"sensor 1")
        assert sealed[:8] == b"etp\x01\x00\x00\x00\x04"
        assert len(sealed) == 8 + 12 + len(b"token") + 16
        assert RING.unseal(sealed, b"sensor 1") == b"token"

    def test_every_byte_counts(self) -> None:
        sealed = RING.seal(b"token", b"sensor 1")
        for place in range(len(sealed)):
            tampered = bytearray(sealed)
            tampered[place] ^= 1
            with pytest.raises(InvalidTag):
                RING.unseal(bytes(tampered), b"sensor 1")

    def test_cannot_be_moved_cut_or_beheaded(self) -> None:
        sealed = RING.seal(b"token", b"sensor 1")
        with pytest.raises(InvalidTag):
            RING.unseal(sealed, b"sensor 2")
        for length in range(len(sealed)):
            with pytest.raises(InvalidTag):
                RING.unseal(sealed[:length], b"sensor 1")
        with pytest.raises(InvalidTag):
            RING.unseal(sealed[8:], b"sensor 1")

    def test_the_newest_key_seals_and_the_older_one_opens(self) -> None:
        before = RING.seal(b"token", b"sensor 1")
        later = KeyRing.of([*KEYS, NEXT])
        assert later.unseal(before, b"sensor 1") == b"token"
        assert key_id_of(later.seal(b"token", b"sensor 1")) == 5
        with pytest.raises(InvalidTag):
            RING.unseal(later.seal(b"token", b"sensor 1"), b"sensor 1")

    def test_a_header_with_another_key_is_noticed(self) -> None:
        # The same key under two ids: only the header differs, and it is authenticated.
        ring = KeyRing.of([*KEYS, DataKey(5, Purpose.SEAL, b"4" * 32)])
        sealed = bytearray(ring.seal(b"token", b"sensor 1"))
        sealed[7] = 4
        with pytest.raises(InvalidTag):
            ring.unseal(bytes(sealed), b"sensor 1")

    def test_keys_that_sign_or_look_up_open_nothing(self) -> None:
        for each in KEYS[:2]:
            header = b"etp\x01" + each.id.to_bytes(4, "big")
            nonce = os.urandom(12)
            forged = header + nonce + AESGCM(each.key).encrypt(nonce, b"token", header + b"sensor 1")
            with pytest.raises(InvalidTag):
                RING.unseal(forged, b"sensor 1")

    def test_stays_out_of_logs(self) -> None:
        assert "ssss" not in repr(RING) + repr(KEYS[0])


class TestBeforeDataKeys:
    def test_opens(self) -> None:
        assert RING.unseal(as_before(b"token", b"sensor 1"), b"sensor 1") == b"token"
        with pytest.raises(InvalidTag):
            RING.unseal(as_before(b"token", b"sensor 1"), b"sensor 2")

    @pytest.mark.parametrize("key_id", [0, 1, 3, 4, 5, 2**32 - 1])
    def test_opens_where_its_nonce_looks_like_a_header(self, key_id: int) -> None:
        nonce = b"etp\x01" + key_id.to_bytes(4, "big") + b"abcd"
        assert RING.unseal(as_before(b"token", b"sensor 1", nonce), b"sensor 1") == b"token"
