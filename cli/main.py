"""The command `etp`: starts each program and runs the operator's tasks."""

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn, cast
from uuid import UUID

import typer

from cli.broker import broker
from cli.edge import edge
from cli.settings import hub_settings as _settings
from cli.settings import key_file_checked as _key_file_checked
from hub.migrate import downgrade, upgrade
from hub.settings import ALL_ROLES, Role

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The Experiment Tracking Platform.")
admin = typer.Typer(no_args_is_help=True, help="Tasks of whoever runs the hub.")
app.add_typer(admin, name="admin")
app.add_typer(edge, name="edge")
app.add_typer(broker, name="broker")


@app.command()
def hub(roles: Annotated[str, typer.Option(help="Comma-separated: api, writer, live, worker.")] = "") -> None:
    """Run the hub, or the parts of it that `--roles` names."""
    from hub.main import run
    from hub.telemetry.sharding import ShardsDiffer

    wanted = frozenset(role for role in roles.split(",") if role) or ALL_ROLES
    if unknown := wanted - ALL_ROLES:
        raise typer.BadParameter(f"unknown roles: {', '.join(sorted(unknown))}")
    try:
        with _key_file_checked():
            run(_settings(stream=True), cast("frozenset[Role]", wanted))
    except ShardsDiffer as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="A revision, or head.")] = "head",
    down: Annotated[bool, typer.Option(help="Migrate down to the revision instead of up.")] = False,
) -> None:
    """Bring the database's schema to a version, and seal what older versions left in the clear."""
    from hub import key_admin

    settings = _settings()
    if down:
        downgrade(settings.database_url, to)
        return
    upgrade(settings.database_url, to)
    with _key_file_checked():
        sealed = asyncio.run(key_admin.after_migration(settings))
    if sealed:
        typer.echo(f"Sealed {sealed} profiles that stood in the clear.")


@app.command()
def verify(capture: Annotated[UUID, typer.Argument(help="The id of a sealed capture.")]) -> None:
    """Verify a sealed capture: counts, hashes, physical values. Exit 0 when all hold, 1 when not, 2 without a seal."""
    from cli.verification import report
    from hub.admin import verify_capture
    from hub.sealing.problems import CaptureNotSealed

    try:
        with _key_file_checked():
            found = asyncio.run(verify_capture(_settings(), capture))
    except CaptureNotSealed as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from problem
    for line in report(found):
        typer.echo(line)
    if not found.holds:
        raise typer.Exit(1)


@admin.command()
def create_owner(
    email: str,
    project: Annotated[str, typer.Option(help="The project to own; it is created when no project has this name.")],
    name: str = "Owner",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="ETP_OWNER_PASSWORD")] = "",
) -> None:
    """Create a user who owns a project."""
    from hub.admin import ensure_owner
    from hub.auth.passwords import weakness

    if (why := weakness(password, [email, name])) is not None:
        typer.echo(why, err=True)
        raise typer.Exit(2)
    asyncio.run(ensure_owner(_settings(), email=email, name=name, password=password, project=project))
    typer.echo(f"{email} owns the project {project}.")


@admin.command()
def invite(
    project: Annotated[
        str | None, typer.Option(help="The project to be invited into; it is created when no project has this name.")
    ] = None,
    role: Annotated[str, typer.Option(help="owner, editor or viewer of the project.")] = "owner",
    uses: Annotated[int, typer.Option(min=1, max=1000, help="How often it may be used.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it is good.")] = 7,
    only_first: Annotated[
        bool, typer.Option("--only-first", help="Print one only while nobody has an account.")
    ] = False,
) -> None:
    """Print a link with which somebody opens an account; without a project they create one there."""
    from hub.admin import invite as make
    from hub.projects.models import Role as ProjectRole

    if role not in set(ProjectRole):
        raise typer.BadParameter("owner, editor or viewer", param_hint="--role")
    with _key_file_checked():
        link = asyncio.run(
            make(_settings(), project=project, role=ProjectRole(role), uses=uses, days=days, only_first=only_first)
        )
    if link is not None:
        typer.echo(link)


@admin.command()
def disable_user(email: str) -> None:
    """Shut a user out: sessions and tokens end within a second."""
    _set_disabled(email, disabled=True)


@admin.command()
def enable_user(email: str) -> None:
    """Let a user in again."""
    _set_disabled(email, disabled=False)


@admin.command()
def reset_mfa(email: str) -> None:
    """Forget a user's second factor; make sure in person that it is the user who asks."""
    from hub.admin import reset_mfa as reset

    if not asyncio.run(reset(_settings(), email)):
        _nobody(email)
    typer.echo(f"{email} logs in with the password alone and can set up a new second factor.")


@admin.command()
def end_sessions(
    email: Annotated[str | None, typer.Argument(help="Whose; left out with --everybody.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="End all sessions of all users.")] = False,
) -> None:
    """Log a user out everywhere, or everybody."""
    from hub.admin import end_sessions as end

    if everybody is (email is not None):
        raise typer.BadParameter("name a user, or --everybody")
    ended = asyncio.run(end(_settings(), email))
    if ended is None:
        _nobody(email or "")
    typer.echo(f"{ended} sessions ended.")


def _nobody(email: str) -> NoReturn:
    typer.echo(f"nobody has the address {email}", err=True)
    raise typer.Exit(1)


def _set_disabled(email: str, *, disabled: bool) -> None:
    from hub.admin import set_disabled

    if not asyncio.run(set_disabled(_settings(), email, disabled=disabled)):
        _nobody(email)
    typer.echo(f"{email} is {'shut out' if disabled else 'let in'}.")


@admin.command()
def verify_audit(
    expect: Annotated[
        str | None, typer.Option(metavar="NUMBER:HASH", help="A last link that this command printed earlier.")
    ] = None,
) -> None:
    """Check that no fact of the audit trail was changed, taken out or put in; exit 1 otherwise."""
    from hub.admin import verify_audit as verify
    from hub.ledger.verification import Head

    try:
        expected = None if expect is None else Head.parse(expect)
    except ValueError as error:
        raise typer.BadParameter("a number and a hash in hex, joined by a colon", param_hint="--expect") from error
    found = asyncio.run(verify(_settings(), expected))
    if found.first_at is not None and found.last_at is not None:
        typer.echo(f"{found.facts} linked facts from {found.first_at.isoformat()} to {found.last_at.isoformat()}")
    else:
        typer.echo("no linked facts")
    if found.pruned:
        typer.echo(f"{found.pruned} older ones were pruned")
    if found.waiting:
        typer.echo(
            f"{found.waiting} facts have waited for more than a minute to be linked: does a worker run?", err=True
        )
    if not found.holds:
        fault = found.faults[0]
        where = f"at link {fault.seq}" if fault.seq is not None else "beside the chain"
        fact = f", fact {fault.fact_id}" if fault.fact_id is not None else ""
        places = "1 place" if len(found.faults) == 1 else f"{len(found.faults)} places"
        typer.echo(f"BROKEN in {places}, first {where}{fact}: {fault.what}", err=True)
        raise typer.Exit(1)
    typer.echo(f"the chain holds; its last link is {found.head}")
    if found.waiting:
        typer.echo(f"{found.waiting} facts wait for more than a minute to be linked: does a worker run?", err=True)
        raise typer.Exit(1)


@admin.command()
def prune_audit(
    older_than_days: Annotated[int, typer.Option(min=366, help="Facts are kept for more than a year.")],
) -> None:
    """Delete the oldest stretch of the audit trail; what is left still verifies."""
    from hub.admin import prune_audit as prune
    from hub.ledger.pruning import StretchBroken

    try:
        pruned = asyncio.run(prune(_settings(), older_than_days))
    except StretchBroken as broken:
        typer.echo(str(broken), err=True)
        raise typer.Exit(1) from broken
    typer.echo("nothing is so old" if pruned is None else f"{pruned.facts} facts up to link {pruned.seq} are gone")


@admin.command()
def reshard(
    shards: Annotated[int, typer.Argument(min=1, max=256, help="How many there shall be.")],
    patience_s: Annotated[float, typer.Option(min=1, help="How long writers may take to store what waits.")] = 60.0,
) -> None:
    """Change the number of the stream's shards: senders wait meanwhile, and writers must run to store what waits."""
    from hub.admin import reshard as change
    from hub.telemetry.sharding import NotDrained

    try:
        before = asyncio.run(change(_settings(stream=True), shards, patience_s))
    except NotDrained as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"There were {before} shards, now there are {shards}.")
    typer.echo(f"Set ETP_STREAM_SHARDS={shards} and restart every hub: until then they refuse samples with 503.")


@admin.command()
def rotate_data_key() -> None:
    """Make a new data key for what is sealed from now on; the older ones still open what they sealed."""
    from hub import key_admin

    with _key_file_checked():
        key_id = asyncio.run(key_admin.rotate_data_key(_settings()))
    typer.echo(f"Data key {key_id} seals from now on; running hubs take it up within seconds.")


@admin.command()
def change_secret_key(
    new_key_file: Annotated[Path, typer.Option(help="A file of at least 32 random bytes; it must exist.")],
) -> None:
    """Wrap all data keys under another key file; tokens, sessions and sealed texts stay good."""
    from hub import key_admin

    settings = _settings()
    with _key_file_checked():
        count = asyncio.run(key_admin.change_secret_key(settings, new_key_file))
    typer.echo(f"Wrapped {count} data keys under {new_key_file}.")
    typer.echo(f"Set ETP_SECRET_KEY_FILE={new_key_file} for every hub and restart it: running ones go on until then.")
    typer.echo(f"Keep {settings.key_file} as long as backups from before now are kept: only it opens them.")
