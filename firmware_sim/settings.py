"""Where the simulated firmware finds the system and who it logs in as, from ETP_* variables or a .env file."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_EMAIL = "owner@example.com"
DEMO_PASSWORD = "demo-password"  # noqa: S105 - the published password of the demo


class LoginMissing(Exception):
    """Nobody to log in as."""


class Settings(BaseSettings):
    """The names are the contract's with the prefix ETP_."""

    model_config = SettingsConfigDict(env_prefix="ETP_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("var")
    http_port: int = Field(default=8080, ge=1, le=65_535)
    mqtt_port: int = Field(default=1883, ge=1, le=65_535)
    hub_url: str | None = None
    mqtt_url: str | None = None
    demo: bool = True
    env: Literal["dev", "production"] = "dev"
    owner_email: str | None = None
    owner_password: str | None = None

    @property
    def hub(self) -> str:
        """The hub's base URL."""
        return self.hub_url or f"http://127.0.0.1:{self.http_port}"

    @property
    def mqtt(self) -> str:
        """The broker as mqtt://host:port or host:port."""
        return self.mqtt_url or f"127.0.0.1:{self.mqtt_port}"

    def login(self, email: str | None, password: str | None) -> tuple[str, str]:
        """Choose e-mail and password: those given, else the settings', else the demo's; raises LoginMissing."""
        demo = self.demo and self.env != "production"
        email = email or self.owner_email or (DEMO_EMAIL if demo else None)
        if password is None:
            password = self.owner_password or (DEMO_PASSWORD if demo and email == DEMO_EMAIL else None)
        if email is None or password is None:
            raise LoginMissing(
                "give the login of a project's owner: --email and --password, or ETP_OWNER_EMAIL and ETP_OWNER_PASSWORD"
            )
        return email, password


def host_and_port(text: str) -> tuple[str, int]:
    """Read `host:port`, `host` or `mqtt://host:port`; raises ValueError."""
    host, _, port = text.removeprefix("mqtt://").rstrip("/").rpartition(":")
    if not host:
        return port, 1883
    return host.strip("[]"), int(port)
