"""What `make run` is told by the environment or a `.env` file."""

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Parts(BaseSettings):
    """Where database and stream are: an address that is given replaces the embedded part in the data folder."""

    model_config = SettingsConfigDict(env_prefix="ETP_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("var")
    database_url: str | None = None
    redis_url: str | None = None


class RunSettings(Parts):
    """Settings of the whole system on one machine."""

    http_port: int = 8080
    mqtt_port: int = 1883
    mqtt_url: str | None = None
    stream_fsync: Literal["always", "everysec"] = "always"
    stream_max_memory: str = "2gb"
    env: Literal["dev", "production"] = "dev"
    demo: bool = True

    @property
    def hub_url(self) -> str:
        """The hub's address on this machine."""
        return f"http://127.0.0.1:{self.http_port}"
