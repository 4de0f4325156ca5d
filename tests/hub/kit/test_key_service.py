"""The key file: made once, never in production, and what it wraps."""

from pathlib import Path

import pytest

from hub.kit.key_service import KeyFile, SecretKeyUnfit, key_service_of
from hub.settings import Settings

SECRET = bytes(range(32))


def settings_of(tmp_path: Path, **changes: object) -> Settings:
    return Settings(
        _env_file=None,
        database_url="postgresql://127.0.0.1/nowhere",
        redis_url="redis://127.0.0.1",
        data_dir=tmp_path / "data",
        public_url="https://lab.example.com",
        trusted_proxies="127.0.0.1",
        **changes,
    )


class TestFile:
    def test_made_once_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "secret.key"
        KeyFile.read(path, may_create=True)
        secret = path.read_bytes()
        assert len(secret) == 32
        assert path.stat().st_mode & 0o777 == 0o600
        KeyFile.read(path, may_create=True)
        KeyFile.read(path, may_create=False)
        assert path.read_bytes() == secret
        assert list(path.parent.iterdir()) == [path]

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(SecretKeyUnfit, match=r"no key file .*secret\.key"):
            KeyFile.read(tmp_path / "secret.key", may_create=False)
        assert not (tmp_path / "secret.key").exists()

    def test_short(self, tmp_path: Path) -> None:
        (tmp_path / "secret.key").write_bytes(b"x" * 31)
        with pytest.raises(SecretKeyUnfit, match="32 random bytes"):
            KeyFile.read(tmp_path / "secret.key", may_create=True)


class TestSettings:
    def test_elsewhere_one_is_made_in_the_data_folder(self, tmp_path: Path) -> None:
        key_service_of(settings_of(tmp_path))
        assert (tmp_path / "data" / "secret.key").exists()

    def test_production_refuses_one_that_was_made(self, tmp_path: Path) -> None:
        key_service_of(settings_of(tmp_path))
        with pytest.raises(SecretKeyUnfit, match="ETP_SECRET_KEY_FILE"):
            key_service_of(settings_of(tmp_path, env="production"))

    def test_production_makes_none(self, tmp_path: Path) -> None:
        chosen = tmp_path / "chosen.key"
        with pytest.raises(SecretKeyUnfit, match="no key file"):
            key_service_of(settings_of(tmp_path, env="production", secret_key_file=chosen))
        assert not chosen.exists()
        chosen.write_bytes(SECRET)
        key_service_of(settings_of(tmp_path, env="production", secret_key_file=chosen))


class TestKeyFile:
    async def test_derives_the_same_again(self) -> None:
        service, again, other = KeyFile(SECRET, "a"), KeyFile(SECRET, "b"), KeyFile(SECRET[::-1], "c")
        assert await service.derive(b"sign") == await again.derive(b"sign")
        assert len({await service.derive(b"sign"), await service.derive(b"seal"), await other.derive(b"sign")}) == 3

    async def test_derives_what_it_always_did(self) -> None:
        # Digests in databases rest on this value: no change of the code may change it.
        derived = await KeyFile(SECRET, "a").derive(b"lookup")
        assert derived.hex() == "5adc65cf132e47fb0a69e31ee5ccd5e7c1f890a168b11498a06ceabff588e6f5"

    async def test_wraps(self) -> None:
        service = KeyFile(SECRET, "a")
        wrapped = await service.wrap(b"k" * 32, b"data key 1")
        assert b"kkkk" not in wrapped
        assert await KeyFile(SECRET, "b").unwrap(wrapped, b"data key 1") == b"k" * 32

    async def test_another_file_or_another_key(self) -> None:
        wrapped = await KeyFile(SECRET, "a").wrap(b"k" * 32, b"data key 1")
        with pytest.raises(SecretKeyUnfit, match=r"new\.key does not open .* data key 1"):
            await KeyFile(SECRET[::-1], "new.key").unwrap(wrapped, b"data key 1")
        with pytest.raises(SecretKeyUnfit, match="data key 2"):
            await KeyFile(SECRET, "a").unwrap(wrapped, b"data key 2")

    def test_stays_out_of_logs(self) -> None:
        service = KeyFile(b"s" * 32, "a")
        assert "ssss" not in repr(service)
