"""The hub's settings, from ETP_* environment variables or a .env file."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.places import is_local

Role = Literal["api", "writer", "live", "worker"]
ALL_ROLES: frozenset[Role] = frozenset({"api", "writer", "live", "worker"})


def _parts(text: object) -> object:
    """Split a list that is written with commas."""
    return [part for each in text.split(",") if (part := each.strip())] if isinstance(text, str) else text


def _origin(text: str) -> str:
    scheme, _, host = text.partition("://")
    if scheme not in {"http", "https"} or not host or not set(host).isdisjoint("/?#*@ "):
        raise ValueError("an origin is a scheme and a host, e.g. https://lab.example.com, without a path")
    return text.lower()


Origin = Annotated[str, AfterValidator(_origin)]


class Settings(BaseSettings):
    """What can be set from outside; the names are the contract's with the prefix ETP_."""

    model_config = SettingsConfigDict(env_prefix="ETP_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    http_port: int = 8080
    database_url: str
    redis_url: str
    env: Literal["dev", "production"] = "dev"
    secret_key_file: Path | None = None
    public_url: str | None = None
    tls_cert_file: Path | None = Field(default=None, description="PEM; with the key file the hub itself speaks TLS.")
    tls_key_file: Path | None = None
    smtp_url: str | None = None
    mail_from: str = "etp@localhost.localdomain"
    frontend_dir: Path = Path(__file__).resolve().parent.parent / "frontend" / "dist"

    stream_shards: int = Field(default=1, ge=1, le=256)
    stream_fsync: Literal["always", "everysec"] = "always"
    stream_max_bytes: int = Field(default=1 << 30, description="Above this size of the stream, ingest answers 503.")
    writer_transactions_per_s: float = Field(default=4.0, gt=0, description="At most so many for each shard.")
    database_connections: int = Field(default=10, ge=2)

    retention_days: int = Field(default=30, ge=1)
    journal_days: int = Field(default=90, ge=1, description="Entries of the sensors' journals are kept for so long.")
    seal_grace_s: float = Field(
        default=600.0, ge=0, description="A capture is sealed once its sensors were heard so long past its Stop."
    )
    seal_within_days: float = Field(default=7.0, gt=0, description="It is sealed after so long, heard or not.")
    max_samples_per_packet: int = Field(default=10_000, ge=1)
    max_packet_bytes: int = Field(default=8 << 20, description="Limit of a telemetry body after decompression.")
    proposals_per_device: int = Field(
        default=1_000, ge=1, description="Channels that are no sensors, of one edge agent or sensor."
    )
    proposal_bytes_per_device: int = Field(
        default=64 << 20, ge=1 << 10, description="Of samples that wait for an editor; beyond it the oldest go."
    )
    tokens_in_addresses: bool = Field(
        default=True, description="ThingsBoard's devices have their token in the address; off refuses them."
    )
    metrics_by_sensor: bool = Field(default=False, description="/metrics counts by sensor, not by project.")
    registry_poll_s: float = Field(default=0.5, gt=0, le=2.0)  # profiles begin 5 s after they are published

    access_token_s: int = Field(default=600, ge=10)
    refresh_token_s: int = Field(default=14 * 86_400, ge=60, description="A session may rest so long.")
    session_s: int = Field(default=30 * 86_400, ge=60, description="However busy, a session ends after so long.")

    mosquitto_dir: Path | None = Field(
        default=None, description="The folder that a Mosquitto works in, whose accounts the role worker keeps."
    )
    mosquitto_pid_file: Path | None = Field(default=None, description="By default data/mosquitto.pid in that folder.")
    mosquitto_instances: int = Field(
        default=0, ge=0, le=99, description="Logins of each edge agent for programs that share its load."
    )
    mqtt_url: str | None = Field(default=None, description="That Mosquitto; by default on this machine.")
    mqtt_port: int = 1883

    requests_per_s: float = Field(default=50.0, gt=0, description="For each session or token, shared by all replicas.")
    requests_burst: int = Field(default=500, ge=1)
    public_requests_per_s: float = Field(default=10.0, gt=0, description="For each address, where nobody is known.")
    public_requests_burst: int = Field(default=100, ge=1)
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_parts)] = Field(
        default=(), description="Networks whose X-Forwarded-For, X-Forwarded-Proto and X-Request-ID are believed."
    )
    cors_origins: Annotated[frozenset[Origin], NoDecode, BeforeValidator(_parts)] = Field(
        default=frozenset(), description="Pages of other sites that may use the API from a browser."
    )

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.tls_cert_file is None) is not (self.tls_key_file is None):
            raise ValueError("ETP_TLS_CERT_FILE and ETP_TLS_KEY_FILE go together")
        if self.env == "production":
            _require_encryption(self)
        return self

    @property
    def dashboard_url(self) -> str:
        """The address that links in letters begin with, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.http_port}").rstrip("/")

    @property
    def behind_https(self) -> bool:
        """Whether browsers reach the hub over HTTPS."""
        return (self.public_url or "").startswith("https://")

    @property
    def broker_url(self) -> str:
        """The address of the Mosquitto whose accounts are kept."""
        return self.mqtt_url or f"mqtt://127.0.0.1:{self.mqtt_port}"

    @property
    def key_file(self) -> Path:
        """Where the secret key is, or is created outside production."""
        return self.secret_key_file or self.data_dir / "secret.key"


def _require_encryption(settings: Settings) -> None:
    """Refuse what would send passwords or samples in clear over a network; raises ValueError that names the setting."""
    if not settings.behind_https:
        raise ValueError("ETP_PUBLIC_URL begins with https:// in production")
    if settings.tls_cert_file is None and not settings.trusted_proxies:
        raise ValueError("somebody ends TLS: set ETP_TLS_CERT_FILE, or ETP_TRUSTED_PROXIES for the proxy that does")
    if not _database_is_safe(settings.database_url):
        raise ValueError("ETP_DATABASE_URL needs sslmode=verify-full for another machine")
    stream = urlsplit(settings.redis_url)
    if stream.scheme not in {"rediss", "unix"} and not is_local(stream.hostname):
        raise ValueError("ETP_REDIS_URL needs rediss:// for another machine")
    broker = urlsplit(settings.mqtt_url or "")
    if broker.scheme != "mqtts" and not is_local(broker.hostname):
        raise ValueError("ETP_MQTT_URL needs mqtts:// for another machine")
    mail = urlsplit(settings.smtp_url or "")
    if mail.scheme == "smtp+plain" and not is_local(mail.hostname):
        raise ValueError("ETP_SMTP_URL needs smtp:// or smtps:// for another machine")


def _database_is_safe(url: str) -> bool:
    """Tell whether the way to the database is a socket, stays on this machine, or is encrypted and verified."""
    parts = urlsplit(url)
    # As asyncpg reads them: of a repeated parameter the last counts, and `host` only where the address names none.
    told = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = parts.hostname or told.get("host", "")
    return host.startswith("/") or is_local(host) or told.get("sslmode") == "verify-full"


def load(**addresses: str) -> Settings:
    """Read the settings; raises pydantic's ValidationError that names what is missing.

    `addresses` are those of database and stream where they are known already.
    """
    return Settings(**addresses)  # pyright: ignore[reportArgumentType, reportCallIssue] - the rest comes from the environment
