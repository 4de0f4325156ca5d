"""Keyed hashes, encryption, and fresh tokens."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.kit.crypto import Keys, decrypt, encrypt, new_token

KEY = AESGCM(bytes(range(32)))


class TestKeys:
    def test_digest(self) -> None:
        keys, others = Keys(sign=b"s" * 32, lookup=b"l" * 32), Keys(sign=b"s" * 32, lookup=b"m" * 32)
        assert keys.digest("a") == keys.digest("a")
        assert len({keys.digest("a"), keys.digest("b"), others.digest("a")}) == 3

    def test_stay_out_of_logs(self) -> None:
        keys = Keys(sign=b"s" * 32, lookup=b"l" * 32)
        assert "ssss" not in repr(keys)
        assert "llll" not in repr(keys)


class TestEncrypt:
    def test_opens_again(self) -> None:
        sealed = encrypt(KEY, b"token", b"sensor 1")
        assert b"token" not in sealed
        assert decrypt(KEY, sealed, b"sensor 1") == b"token"

    def test_no_nonce_is_used_twice(self) -> None:
        assert len({encrypt(KEY, b"token", b"sensor 1")[:12] for _ in range(1000)}) == 1000

    @pytest.mark.parametrize("place", [0, 12, -1])
    def test_tampered(self, place: int) -> None:
        sealed = bytearray(encrypt(KEY, b"token", b"sensor 1"))
        sealed[place] ^= 1
        with pytest.raises(InvalidTag):
            decrypt(KEY, bytes(sealed), b"sensor 1")

    def test_moved_to_another_place(self) -> None:
        with pytest.raises(InvalidTag):
            decrypt(KEY, encrypt(KEY, b"token", b"sensor 1"), b"sensor 2")

    @pytest.mark.parametrize("length", [0, 5, 12, 27])
    def test_cut_short(self, length: int) -> None:
        with pytest.raises(InvalidTag):
            decrypt(KEY, encrypt(KEY, b"token", b"sensor 1")[:length], b"sensor 1")

    def test_its_place_must_be_said(self) -> None:
        with pytest.raises(ValueError, match="about"):
            encrypt(KEY, b"token", b"")


def test_tokens_do_not_repeat() -> None:
    tokens = {new_token("etps") for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(token.startswith("etps_") and len(token) == 48 for token in tokens)
