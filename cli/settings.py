"""What the commands of `etp` that work on the hub's data begin with."""

from collections.abc import Generator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from dev import embedded
from dev.process import ServerFailed
from dev.settings import Parts
from hub import settings
from hub.settings import Settings


def hub_settings(*, stream: bool = False) -> Settings:
    """Read the hub's settings, or end with a line for each fault; `stream` says that the stream must be there.

    Database and stream are those of the embedded system where no address is set.
    """
    try:
        parts = Parts()
        return settings.load(
            database_url=embedded.database_url(parts), redis_url=embedded.stream_url(parts, needed=stream)
        )
    except (embedded.NotRunning, ServerFailed) as missing:
        typer.echo(str(missing), err=True)
        raise typer.Exit(2) from missing
    except ValidationError as error:
        for fault in error.errors():
            name = "".join(f"ETP_{str(place).upper()}: " for place in fault["loc"][:1])
            typer.echo(name + fault["msg"].removeprefix("Value error, "), err=True)
        raise typer.Exit(2) from error


@contextmanager
def key_file_checked() -> Generator[None]:
    """End with one line when the key file is not this database's."""
    from hub.kit.key_service import SecretKeyUnfit

    try:
        yield
    except SecretKeyUnfit as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
