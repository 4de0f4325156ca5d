"""What the settings refuse in production, where data would cross a network in clear."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub.settings import Settings

SOUND = {
    "env": "production",
    "public_url": "https://lab.example.com",
    "trusted_proxies": "10.0.0.2",
    "database_url": "postgresql://etp@db.example.com/etp?sslmode=verify-full",
    "redis_url": "rediss://stream.example.com",
    "smtp_url": "smtps://mail.example.com",
}


def made(**changes: Any) -> Settings:
    return Settings.model_validate(SOUND | changes)


def test_sound_ones_are_taken() -> None:
    assert made().behind_https


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", None),
        ("public_url", "http://lab.example.com"),
        ("database_url", "postgresql://etp@db.example.com/etp"),
        ("database_url", "postgresql://etp@db.example.com/etp?sslmode=require"),
        ("database_url", "postgresql://etp@10.0.0.7/etp?sslmode=prefer"),
        ("database_url", "postgresql://etp@10.0.0.7/etp?application_name=sslmode=verify-full"),
        ("database_url", "postgresql://etp@10.0.0.7/etp?sslmode=verify-full&sslmode=disable"),
        ("database_url", "postgresql://etp@10.0.0.7/etp?host=/run/postgresql"),
        ("database_url", "postgresql://etp@/etp?host=10.0.0.7"),
        ("redis_url", "redis://stream.example.com"),
        ("smtp_url", "smtp+plain://mail.example.com"),
    ],
)
def test_what_goes_in_clear_is_refused_by_name(name: str, value: str | None) -> None:
    with pytest.raises(ValidationError, match="ETP_" + name.upper()):
        made(**{name: value})
    assert made(**{"env": "dev", name: value})


def test_somebody_must_end_tls() -> None:
    with pytest.raises(ValidationError, match="ETP_TLS_CERT_FILE"):
        made(trusted_proxies="")
    assert made(trusted_proxies="", tls_cert_file="cert.pem", tls_key_file="key.pem")


@pytest.mark.parametrize("name", ["tls_cert_file", "tls_key_file"])
def test_certificate_and_key_go_together(name: str) -> None:
    with pytest.raises(ValidationError, match="go together"):
        made(**{name: "file.pem"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://etp@127.0.0.1:5433/etp"),
        ("database_url", "postgresql://etp@/etp?host=/run/postgresql"),
        ("redis_url", "redis://localhost:6379"),
        ("redis_url", "unix:///run/valkey.sock"),
        ("smtp_url", "smtp+plain://[::1]:25"),
        ("smtp_url", None),
    ],
)
def test_this_machine_needs_no_encryption(name: str, value: str | None) -> None:
    assert made(**{name: value})
