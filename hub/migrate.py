"""Brings the database's schema to a version, up or down."""

from pathlib import Path

from alembic import command
from alembic.config import Config

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option(
        "sqlalchemy.url", url.replace("postgresql://", "postgresql+asyncpg://", 1).replace("%", "%%")
    )
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`. Blocks and runs its own event loop: call it from a thread where one runs already."""
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to `revision` (`base` removes everything)."""
    command.downgrade(_config(url), revision)
