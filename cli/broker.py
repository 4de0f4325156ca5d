"""`etp broker`: runs the embedded broker."""

import typer

broker = typer.Typer(invoke_without_command=True, help="Run the embedded MQTT broker.")


@broker.callback()
def run_broker(context: typer.Context) -> None:
    """Run the embedded MQTT broker."""
    if context.invoked_subcommand is not None:
        return
    from broker.main import run
    from broker.settings import load

    run(load())
