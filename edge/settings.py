"""What an edge agent is told by its environment."""

from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.places import is_local

_MQTT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class EdgeFolder(BaseSettings):
    """Where one edge agent keeps its spool, its status and the cached configuration."""

    model_config = SettingsConfigDict(env_prefix="ETP_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("var")
    edge_dir: Path | None = None  # by default `edge` in the data folder

    @property
    def folder(self) -> Path:
        """Name the folder."""
        return self.edge_dir or self.data_dir / "edge"


class EdgeSettings(EdgeFolder):
    """Settings of one edge agent, from `ETP_*` variables or a `.env` file."""

    edge_agent_id: UUID
    edge_token: SecretStr | None = None
    edge_token_file: Path | None = None
    env: Literal["dev", "production"] = "dev"
    hub_url: str | None = None
    mqtt_url: str | None = None  # mqtt://host:port, mqtts:// for TLS
    http_port: int = 8080
    mqtt_port: int = 1883

    edge_instance: int = Field(
        default=0, ge=0, le=99, description="Above 0: one of several that share the agent's load, by `$share`."
    )
    edge_spool_bytes: int = Field(default=2 * 1024**3, ge=1024)
    edge_spool_full: Literal["wait", "drop-oldest"] = Field(
        default="wait", description="wait: the broker keeps what does not fit. drop-oldest: counted and reported."
    )
    edge_linger_ms: float = Field(default=50.0, ge=0)
    edge_batch_samples: int = Field(default=10_000, ge=1, le=10_000)
    edge_batch_bytes: int = Field(default=1_000_000, ge=1)
    edge_request_timeout_s: float = Field(default=30.0, gt=0)
    edge_backoff_max_s: float = Field(default=10.0, gt=0)
    edge_config_interval_s: float = Field(default=2.0, gt=0, le=4.0)  # profiles begin 5 s after they are published
    edge_status_interval_s: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> "EdgeSettings":
        if self.edge_token is None and self.edge_token_file is None:
            raise ValueError("ETP_EDGE_TOKEN or ETP_EDGE_TOKEN_FILE must give the agent's token")
        if self.mqtt_url is not None and urlsplit(self.mqtt_url).scheme not in _MQTT_PORTS:
            raise ValueError("ETP_MQTT_URL must begin with mqtt:// or mqtts://")
        if self.env == "production":
            host, _, tls = self.broker
            if not (tls or is_local(host)):
                raise ValueError("ETP_MQTT_URL needs mqtts:// for another machine in production")
            if not (self.hub.startswith("https://") or is_local(urlsplit(self.hub).hostname)):
                raise ValueError("ETP_HUB_URL needs https:// for another machine in production")
        return self

    @property
    def spool_file(self) -> Path:
        """Name the spool's file."""
        return self.folder / "spool.sqlite"

    @property
    def hub(self) -> str:
        """Name the hub's base URL, without a slash at its end."""
        return (self.hub_url or f"http://127.0.0.1:{self.http_port}").rstrip("/")

    @property
    def broker(self) -> tuple[str, int, bool]:
        """Name the broker's host and port, and whether to use TLS."""
        url = urlsplit(self.mqtt_url or f"mqtt://127.0.0.1:{self.mqtt_port}")
        return url.hostname or "127.0.0.1", url.port or _MQTT_PORTS[url.scheme], url.scheme == "mqtts"

    def read_token(self) -> str:
        """Read the agent's token; a token file is read anew each time, so that a rotated token needs no restart."""
        if self.edge_token_file is not None:
            return self.edge_token_file.read_text(encoding="utf-8").strip()
        if self.edge_token is None:  # the validator has seen to it
            raise ValueError("no token")
        return self.edge_token.get_secret_value()


def load() -> EdgeSettings:
    """Read the settings; raises pydantic's ValidationError that names what is wrong."""
    return EdgeSettings()  # pyright: ignore[reportCallIssue]  # what is required comes from the environment
