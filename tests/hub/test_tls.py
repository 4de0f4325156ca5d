"""TLS of the hub itself, and that production answers nothing in clear."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from hub.app import create_app
from hub.gateway import make_runner
from hub.main import tls_of
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.test_gateway import LOGIN

ELSEWHERE = "postgresql://etp@db.example.com/etp"
PROXIED = {"env": "production", "public_url": "https://lab.example.com", "trusted_proxies": "127.0.0.1"}


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that only its own copy vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@pytest.fixture
async def url(settings: Settings, certificate: tuple[Path, Path]) -> AsyncIterator[str]:
    """The address of a hub that speaks TLS itself."""
    changed = settings.model_copy(update={"tls_cert_file": certificate[0], "tls_key_file": certificate[1]})
    runner = make_runner(create_app(changed, frozenset({"api"})))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls_of(changed)).start()
    yield f"https://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


class TestTls:
    async def test_tells_the_browser_so(self, url: str, certificate: tuple[Path, Path]) -> None:
        trusting = ssl.create_default_context(cafile=certificate[0])
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{url}/api/v1/auth/logout", ssl=trusting)
            assert answer.status == 401
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")

    async def test_nothing_older_than_1_3(self, url: str, certificate: tuple[Path, Path]) -> None:
        old = ssl.create_default_context(cafile=certificate[0])
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"{url}/healthz", ssl=old)


class TestProduction:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings.model_validate(settings.model_dump() | PROXIED | {"secret_key_file": self.key(settings)})

    @staticmethod
    def key(settings: Settings) -> Path:
        settings.data_dir.mkdir(exist_ok=True)
        file = settings.data_dir / "secret.key"
        file.write_bytes(bytes(range(32)))
        return file

    async def test_answers_nothing_in_clear(self, anonymous: Caller) -> None:
        for answer in (await anonymous.get("/projects"), await anonymous.post("/auth/login", LOGIN)):
            assert (answer.status, answer.code) == (403, "https-needed")
        assert (await anonymous.get("/healthz")).status == 200

    async def test_behind_a_proxy_that_ends_tls(self, anonymous: Caller) -> None:
        answer = await anonymous.get("/projects", X_Forwarded_Proto="https")
        assert (answer.status, answer.code) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"public_url": None}, "ETP_PUBLIC_URL"),
        ({"public_url": "http://lab.example.com"}, "ETP_PUBLIC_URL"),
        ({"trusted_proxies": ""}, "ETP_TLS_CERT_FILE"),
        ({"tls_cert_file": "cert.pem"}, "ETP_TLS_KEY_FILE"),
        ({"database_url": ELSEWHERE}, "sslmode=verify-full"),
        ({"database_url": ELSEWHERE + "?sslmode=require"}, "sslmode=verify-full"),
        ({"redis_url": "redis://stream.example.com"}, "rediss://"),
        ({"smtp_url": "smtp+plain://mail.example.com"}, "smtps://"),
    ],
)
def test_production_refuses_what_is_not_encrypted(wrong: dict[str, Any], names: str) -> None:
    local = {"database_url": "postgresql:///etp?host=/run/postgres", "redis_url": "redis://127.0.0.1"}
    Settings.model_validate(local | PROXIED)
    with pytest.raises(ValidationError, match=names):
        Settings.model_validate(local | PROXIED | wrong)
