"""`etp broker`: runs the embedded broker, or keeps the accounts of a Mosquitto."""

from pathlib import Path
from typing import Annotated

import typer

from cli.settings import hub_settings, key_file_checked

broker = typer.Typer(
    invoke_without_command=True, help="Run the embedded MQTT broker, or keep the accounts of a Mosquitto."
)


@broker.callback()
def run_broker(context: typer.Context) -> None:
    """Run the embedded MQTT broker."""
    if context.invoked_subcommand is not None:
        return
    from broker.main import run
    from broker.settings import load

    run(load())


@broker.command()
def accounts(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="The folder Mosquitto works in, by default ETP_MOSQUITTO_DIR.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Write the files and end; else follow every change.")] = False,
) -> None:
    """Write a Mosquitto's password and ACL files from the hub's tokens, and let it read them when they change."""
    from hub.brokers.program import run

    settings = hub_settings()
    if (folder := folder or settings.mosquitto_dir) is None:
        raise typer.BadParameter("name the folder Mosquitto works in, or set ETP_MOSQUITTO_DIR", param_hint="--dir")
    with key_file_checked():
        run(settings, folder, once=once)
