"""`etp edge`: runs an edge agent and tells how it is doing."""

from pathlib import Path
from typing import Annotated

import typer

edge = typer.Typer(
    invoke_without_command=True, help="Run an edge agent, ask how it is doing, or let it leave for good."
)


@edge.callback()
def run_edge(context: typer.Context) -> None:
    """Run an edge agent."""
    if context.invoked_subcommand is not None:
        return
    from edge.main import run
    from edge.settings import EdgeSettings

    run(EdgeSettings())  # pyright: ignore[reportCallIssue] - the required fields come from the environment


@edge.command()
def status(
    folder: Annotated[Path | None, typer.Option("--dir", help="The agent's folder, by default ETP_EDGE_DIR.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell what an agent of this machine does and keeps; exit 1 when it does not run."""
    from edge.inspection import NoAgentHere, tell
    from edge.settings import EdgeFolder

    try:
        text, alive = tell(folder or EdgeFolder().folder, as_json=as_json)
    except NoAgentHere as nobody:
        typer.echo(str(nobody), err=True)
        raise typer.Exit(2) from nobody
    typer.echo(text)
    if not alive:
        raise typer.Exit(1)


@edge.command()
def leave() -> None:
    """End an agent's session on the broker for good: takes what waits there, forwards it, and ends."""
    from edge.main import run
    from edge.settings import EdgeSettings

    run(EdgeSettings(), leaving=True)  # pyright: ignore[reportCallIssue] - the required fields come from the environment
