"""What the embedded broker is told by its environment."""

import math
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.places import is_local

MIB: Final = 1 << 20


class BrokerSettings(BaseSettings):
    """Settings of the embedded broker, from `ETP_*` variables or a `.env` file."""

    model_config = SettingsConfigDict(env_prefix="ETP_", env_file=".env", extra="ignore", frozen=True)

    env: Literal["dev", "production"] = "dev"
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = Field(default=1883, ge=0, le=65535)
    hub_url: str | None = None
    http_port: int = 8080

    broker_login_timeout_s: float = Field(default=3.0, gt=0)
    broker_recheck_s: float = Field(default=3.0, gt=0, description="How soon a revoked token is noticed.")
    broker_packet_bytes: int = Field(default=8 * MIB, ge=1024, description="A larger packet ends the connection.")
    broker_queue_bytes: int = Field(
        default=256 * MIB, ge=1024, description="Of one subscriber; when full, publishers wait for their PUBACK."
    )
    broker_grace_s: float = Field(
        default=math.inf,
        ge=0,
        description="How long telemetry that no edge agent gets waits for one, before it is acknowledged and gone.",
    )

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.env == "production" and not is_local(self.mqtt_host):
            raise ValueError("ETP_MQTT_HOST: the embedded broker has no TLS and serves this machine only in production")
        if self.env == "production" and not (self.hub.startswith("https://") or is_local(urlsplit(self.hub).hostname)):
            raise ValueError("ETP_HUB_URL needs https:// for another machine in production")
        return self

    @property
    def hub(self) -> str:
        """Name the hub's base URL, without a slash at its end."""
        return (self.hub_url or f"http://127.0.0.1:{self.http_port}").rstrip("/")


def load() -> BrokerSettings:
    """Read the settings; raises pydantic's ValidationError that names what is wrong."""
    return BrokerSettings()
