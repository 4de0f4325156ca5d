"""Nothing goes in clear: TLS 1.3 of the hub itself, and what production answers to plain requests."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectorCertificateError, ClientError, ClientSession, TCPConnector, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.app import create_app
from hub.main import tls_of
from hub.settings import Settings
from tests.hub.callers import Caller
from tests.hub.conftest import HubServer

# How a proxy on this machine says that it speaks for somebody, who came without TLS.
PROXIES: list[dict[str, str]] = [
    {"X_Forwarded_Proto": "http"},
    {"X_Forwarded_For": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"X_Real_IP": "127.0.0.1"},
    {"Via": "1.1 proxy"},
]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files of a certificate for this machine, which nobody but the tests trusts, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


class TestOfTheHubItself:
    @pytest.fixture
    async def server(self, settings: Settings, certificate: tuple[Path, Path]) -> AsyncIterator[HubServer]:
        cert_file, key_file = certificate
        settings = settings.model_copy(update={"tls_cert_file": cert_file, "tls_key_file": key_file})
        server = HubServer(create_app(settings, frozenset({"api", "live"})))
        await server.start_server(ssl=tls_of(settings))
        yield server
        await server.close()

    @pytest.fixture
    def trusting(self, certificate: tuple[Path, Path]) -> ssl.SSLContext:
        """What a client needs to speak with the hub."""
        return ssl.create_default_context(cafile=str(certificate[0]))

    async def test_speaks_1_3_and_says_so_for_good(self, server: HubServer, trusting: ssl.SSLContext) -> None:
        _, writer = await asyncio.open_connection(server.host, server.port, ssl=trusting)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        writer.close()
        async with ClientSession(connector=TCPConnector(ssl=trusting)) as session:
            async with session.get(server.make_url("/api/v1/projects")) as answer:
                assert answer.status == 401
                assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
            async with session.ws_connect(server.make_url("/api/v1/live")) as socket:
                await socket.send_json({"op": "ping"})
                assert (await socket.receive_json())["op"] == "problem"

    async def test_nothing_older(self, server: HubServer, trusting: ssl.SSLContext) -> None:
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        async with ClientSession(connector=TCPConnector(ssl=trusting)) as session:
            with pytest.raises(ClientError, match=r"(?i)ssl|tls|reset|disconnected"):
                await session.get(server.make_url("/healthz"))

    async def test_nothing_plain(self, server: HubServer) -> None:
        async with ClientSession() as session:
            with pytest.raises(ClientError):
                await session.get(server.make_url("/healthz").with_scheme("http"))

    async def test_clients_verify_unless_told_otherwise(self, server: HubServer) -> None:
        async with ClientSession() as session:
            with pytest.raises(ClientConnectorCertificateError):
                await session.get(server.make_url("/healthz"))


class TestInProduction:
    """Behind a proxy on this machine that ends TLS."""

    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        (tmp_path / "key").write_bytes(b"k" * 32)
        changes: dict[str, Any] = {
            "env": "production",
            "public_url": "https://lab.example.com",
            "trusted_proxies": "127.0.0.0/8",
            "secret_key_file": tmp_path / "key",
        }
        return Settings.model_validate(settings.model_dump() | changes)

    @pytest.mark.parametrize("path", ["/projects", "/live", "/telemetry", "/openapi.json", "/nowhere"])
    async def test_plain_requests_are_refused_not_redirected(self, anonymous: Caller, path: str) -> None:
        for told in PROXIES:
            answer = await anonymous.get(path, **told)
            assert (answer.status, answer.code) == (403, "https-needed")
            assert "Location" not in answer.headers
        assert (await anonymous.get(path, X_Forwarded_Proto="https")).code != "https-needed"

    async def test_a_login_in_clear_is_not_even_read(self, anonymous: Caller) -> None:
        assert (await anonymous.post("/auth/login", {"email": "x"}, X_Forwarded_Proto="http")).code == "https-needed"
        assert (await anonymous.post("/auth/login", {"email": "x"}, X_Forwarded_Proto="https")).status == 422

    async def test_but_for_programs_beside_it(self, anonymous: Caller) -> None:
        told = {"username": "a sensor", "password": "unknown"}
        assert (await anonymous.post("/broker/login", told)).code == "wrong-broker-login"
        assert (await anonymous.post("/telemetry", {"samples": []})).code == "unauthenticated"

    async def test_but_for_whoever_watches_the_process(self, anonymous: Caller) -> None:
        assert (await anonymous.get("/healthz")).status == 200
        assert (await anonymous.get("/readyz")).status in {200, 503}


async def test_elsewhere_plain_is_enough(app: web.Application, anonymous: Caller) -> None:
    assert (await anonymous.get("/projects")).status == 401
