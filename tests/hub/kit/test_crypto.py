"""Keys: what they hash, seal and open."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from hub.kit.crypto import Keys, load_or_create_secret, new_token

SECRET = bytes(range(32))


class TestKeys:
    def test_differ_by_purpose_and_secret(self) -> None:
        keys, others = Keys.from_secret(SECRET), Keys.from_secret(SECRET[::-1])
        assert len({keys.sign, keys.lookup, keys.seal_key, others.sign, others.lookup, others.seal_key}) == 6
        assert Keys.from_secret(SECRET) == keys

    def test_secret_stays_out_of_logs(self) -> None:
        keys = Keys.from_secret(SECRET)
        assert keys.seal_key.hex() not in repr(keys)
        assert repr(keys.seal_key) not in repr(keys)

    def test_short_secret(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            Keys.from_secret(b"x" * 31)

    def test_digest(self) -> None:
        keys, others = Keys.from_secret(SECRET), Keys.from_secret(SECRET[::-1])
        assert keys.digest("a") == keys.digest("a")
        assert len({keys.digest("a"), keys.digest("b"), others.digest("a")}) == 3

    def test_seal(self) -> None:
        keys = Keys.from_secret(SECRET)
        sealed = keys.seal(b"token", b"sensor 1")
        assert keys.unseal(sealed, b"sensor 1") == b"token"
        assert keys.seal(b"token", b"sensor 1") != sealed, "a nonce is never used twice"

    @pytest.mark.parametrize("place", [0, 12, -1])
    def test_tampered(self, place: int) -> None:
        keys = Keys.from_secret(SECRET)
        sealed = bytearray(keys.seal(b"token", b"sensor 1"))
        sealed[place] ^= 1
        with pytest.raises(InvalidTag):
            keys.unseal(bytes(sealed), b"sensor 1")

    def test_moved_to_another_row(self) -> None:
        keys = Keys.from_secret(SECRET)
        with pytest.raises(InvalidTag):
            keys.unseal(keys.seal(b"token", b"sensor 1"), b"sensor 2")


class TestSecretFile:
    def test_created_once_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "secret.key"
        secret = load_or_create_secret(path, may_create=True)
        assert len(secret) == 32
        assert path.stat().st_mode & 0o777 == 0o600
        assert load_or_create_secret(path, may_create=False) == secret

    def test_production_wants_its_own(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="ETP_SECRET_KEY_FILE"):
            load_or_create_secret(tmp_path / "secret.key", may_create=False)
        assert not (tmp_path / "secret.key").exists()


def test_tokens_do_not_repeat() -> None:
    tokens = {new_token("etps") for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(token.startswith("etps_") and len(token) == 48 for token in tokens)
