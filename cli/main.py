"""The command `etp`: starts each program and runs the operator's tasks."""

import asyncio
from typing import Annotated, cast

import typer
from pydantic import ValidationError

from hub import settings as hub_settings
from hub.migrate import downgrade, upgrade
from hub.settings import ALL_ROLES, Role, Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The Experiment Tracking Platform.")
admin = typer.Typer(no_args_is_help=True, help="Tasks of whoever runs the hub.")
app.add_typer(admin, name="admin")


def _settings() -> Settings:
    try:
        return hub_settings.load()
    except ValidationError as error:
        for fault in error.errors():
            typer.echo(f"ETP_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}", err=True)
        raise typer.Exit(2) from error


@app.command()
def hub(roles: Annotated[str, typer.Option(help="Comma-separated: api, writer, live, worker.")] = "") -> None:
    """Run the hub, or the parts of it that `--roles` names."""
    from hub.main import run

    wanted = frozenset(role for role in roles.split(",") if role) or ALL_ROLES
    if unknown := wanted - ALL_ROLES:
        raise typer.BadParameter(f"unknown roles: {', '.join(sorted(unknown))}")
    run(_settings(), cast("frozenset[Role]", wanted))


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="A revision, or head.")] = "head",
    down: Annotated[bool, typer.Option(help="Migrate down to the revision instead of up.")] = False,
) -> None:
    """Bring the database's schema to a version."""
    (downgrade if down else upgrade)(_settings().database_url, to)


@app.command()
def edge() -> None:
    """Run an edge agent."""
    from edge.main import run
    from edge.settings import EdgeSettings

    run(EdgeSettings())  # pyright: ignore[reportCallIssue] - the required fields come from the environment


@app.command()
def broker() -> None:
    """Run the embedded MQTT broker."""
    from broker.main import run
    from broker.settings import load

    run(load())


@admin.command()
def create_owner(
    email: str,
    project: Annotated[str, typer.Option(help="The project to own; it is created when no project has this name.")],
    name: str = "Owner",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="ETP_OWNER_PASSWORD")] = "",
) -> None:
    """Create a user who owns a project."""
    from hub.admin import ensure_owner

    asyncio.run(ensure_owner(_settings(), email=email, name=name, password=password, project=project))
    typer.echo(f"{email} owns the project {project}.")
