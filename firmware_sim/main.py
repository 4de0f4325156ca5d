"""The command `demo-sensor`: scenarios, replay of CSV files, and the whole Start → Stop cycle."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from pydantic import ValidationError
from rich.console import Console

from firmware_sim import scenario as scenarios
from firmware_sim import stage
from firmware_sim.csv_file import CsvFile, CsvNotUnderstood, read_csv
from firmware_sim.device import Device
from firmware_sim.http_link import PACKET_S as HTTP_PACKET_S
from firmware_sim.hub_api import HubRefused, HubUnreachable, TokenNotKept
from firmware_sim.registration import of_column, of_plan
from firmware_sim.replay import PACKET_S, Progress, play
from firmware_sim.report import status_line, telling
from firmware_sim.scenario import Sampler, Scenario, ScenarioInvalid, sample
from firmware_sim.settings import LoginMissing, Settings, host_and_port
from firmware_sim.stage import NothingGetsThrough, Target, Transport, delivering
from firmware_sim.start_stop import CaptureIncomplete, start_stop
from firmware_sim.switching import NotActive, SensorMissing, switch, switching
from firmware_sim.token_file import TokenFileUnreadable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulated firmware: sensors that publish like real ones.",
)
_EXPECTED = (
    CaptureIncomplete, CsvNotUnderstood, HubRefused, HubUnreachable, LoginMissing, NotActive, NothingGetsThrough,
    ScenarioInvalid, SensorMissing, TokenFileUnreadable, TokenNotKept,
)  # fmt: skip
_INTERRUPTED = 130

HubOption = Annotated[
    str | None, typer.Option("--hub", help="Base URL of the hub; default http://127.0.0.1:ETP_HTTP_PORT.")
]
MqttOption = Annotated[str | None, typer.Option("--mqtt", help="Broker as host:port; default 127.0.0.1:ETP_MQTT_PORT.")]
DataOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Where sensor tokens are kept; default ETP_DATA_DIR.")
]
EmailOption = Annotated[
    str | None, typer.Option("--email", help="An owner's login; default ETP_OWNER_EMAIL, else the demo's.")
]
PasswordOption = Annotated[str | None, typer.Option("--password", help="Better given as ETP_OWNER_PASSWORD.")]
OverOption = Annotated[
    Transport, typer.Option("--over", help="How packets travel: mqtt, or http (a packet each 10 s).")
]
ProjectOption = Annotated[str, typer.Option("--project", help="The project; created when it is not there.")]
SpeedOption = Annotated[float, typer.Option("--speed", min=0.001, help="How much faster than real time.")]


@app.command()
def scenario(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(scenarios.names())}; or a path to a .toml file.")],
    *,
    minutes: Annotated[float | None, typer.Option(help="End after so long; without it, run until Ctrl-C.")] = None,
    speed: SpeedOption = 1.0,
    project: ProjectOption = "demo_project",
    prefix: Annotated[str, typer.Option(help="Put before each sensor's name.")] = "",
    over: OverOption = "mqtt",
    hub: HubOption = None,
    mqtt: MqttOption = None,
    data_dir: DataOption = None,
    email: EmailOption = None,
    password: PasswordOption = None,
) -> None:
    """Publish a scenario's sensors, registering those that are missing."""
    console = Console()

    async def work() -> None:
        target = _target(hub=hub, mqtt=mqtt, data_dir=data_dir, email=email, password=password, over=over)
        bench = scenarios.load(name)
        await _scenario(target, bench, minutes=minutes, speed=speed, project=project, prefix=prefix, console=console)

    _run(work(), console, interrupted=0)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A CSV file with a time column; the rest is recognised.")],
    *,
    speed: SpeedOption = 1.0,
    project: ProjectOption = "demo_project",
    prefix: Annotated[str | None, typer.Option(help="Put before each column's name; default the file's name.")] = None,
    columns: Annotated[str | None, typer.Option(help="Only these columns, comma-separated.")] = None,
    hub: HubOption = None,
    mqtt: MqttOption = None,
    data_dir: DataOption = None,
    email: EmailOption = None,
    password: PasswordOption = None,
) -> None:
    """Publish a CSV file's columns as live sensors: sent at now + (file time − first time) / speed."""
    console = Console()

    async def work() -> None:
        read = await asyncio.to_thread(read_csv, file)
        target = _target(hub=hub, mqtt=mqtt, data_dir=data_dir, email=email, password=password)
        wanted = None if columns is None else [name.strip() for name in columns.split(",")]
        before = f"{file.stem} " if prefix is None else prefix
        await _replay(target, read, speed=speed, project=project, prefix=before, wanted=wanted, console=console)

    _run(work(), console)


@app.command(name="start-stop")
def start_stop_command(
    *,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of the capture.")] = 10.0,
    scenario: Annotated[str, typer.Option(help="Whose sensors to record.")] = "bench",
    project: ProjectOption = "demo_project",
    prefix: Annotated[str, typer.Option(help="Put before each sensor's name.")] = "",
    publish: Annotated[
        bool | None, typer.Option("--publish/--listen", help="Default: publish unless they are live.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The CSV file; default in ETP_DATA_DIR/exports.")] = None,
    hub: HubOption = None,
    mqtt: MqttOption = None,
    data_dir: DataOption = None,
    email: EmailOption = None,
    password: PasswordOption = None,
) -> None:
    """Make a run, bind sensors, Start, publish, Stop, download the CSV, compare it with what was acknowledged."""
    console = Console()

    async def work() -> None:
        target = _target(hub=hub, mqtt=mqtt, data_dir=data_dir, email=email, password=password)
        await start_stop(
            target,
            scenarios.load(scenario),
            project=project,
            prefix=prefix,
            seconds=seconds,
            publish=publish,
            out=out,
            console=console,
        )

    _run(work(), console)


@app.command(name="switch-profile")
def switch_profile(
    sensor: Annotated[str, typer.Argument(help="The sensor's name.")],
    profile: Annotated[str, typer.Argument(help="A profile as JSON, or a path to a .json file that holds one.")],
    *,
    project: ProjectOption = "demo_project",
    hub: HubOption = None,
    data_dir: DataOption = None,
    email: EmailOption = None,
    password: PasswordOption = None,
) -> None:
    """Publish another conversion profile for a sensor and wait until it applies, at least 5 s later."""
    console = Console()

    async def work() -> None:
        try:
            text = await asyncio.to_thread(Path(profile).read_text, "utf-8") if profile.endswith(".json") else profile
            payload = msgspec.json.decode(text, type=dict[str, Any])
        except OSError as wrong:
            raise typer.BadParameter(f"the profile cannot be read: {wrong}") from wrong
        except msgspec.DecodeError as wrong:
            raise typer.BadParameter(f"the profile is no JSON object: {wrong}") from wrong
        target = _target(hub=hub, mqtt=None, data_dir=data_dir, email=email, password=password)
        await switch(target, project, sensor, payload, console)

    _run(work(), console)


async def _scenario(
    target: Target, bench: Scenario, *, minutes: float | None, speed: float, project: str, prefix: str, console: Console
) -> None:
    _, identities = await stage.register(target, project, [of_plan(s, prefix) for s in bench.sensors])
    pairs = list(zip(bench.sensors, identities, strict=True))
    devices = [
        Device(who, faults=plan.faults, seed=plan.seed, heartbeat_s=plan.heartbeat_interval_s) for plan, who in pairs
    ]
    packet_s = HTTP_PACKET_S if target.transport == "http" else None
    samplers = [Sampler(plan, device, speed, packet_s) for (plan, _), device in zip(pairs, devices, strict=True)]
    async with delivering(target, devices, console) as fleet:
        until = "until Ctrl-C" if minutes is None else f"for {minutes:g} min"
        console.print(f"{bench.description or bench.name}: {len(devices)} sensors publish to {project} {until}.")
        switches = [(who, plan.switches) for plan, who in pairs]
        async with telling(console, lambda: status_line(fleet)), switching(target, switches, speed, console):
            await sample(samplers, None if minutes is None else minutes * 60)


async def _replay(
    target: Target,
    read: CsvFile,
    *,
    speed: float,
    project: str,
    prefix: str,
    wanted: list[str] | None,
    console: Console,
) -> None:
    columns = read.measured(wanted)
    console.print(
        f"{read.path.name}: {read.t_us.size:,} rows, time in {read.time_column!r}, {len(columns)} sensors:"
        f" {', '.join(c.name for c in columns)}",
        highlight=False,
    )
    left_out = [c.name for c in read.columns if c.is_label] if wanted is None else []
    if left_out:
        console.print(f"Left out, for they hold only 0 and 1: {', '.join(left_out)} (--columns takes them).")
    if read.unreadable:
        console.print(f"{read.unreadable:,} cells could not be read and are left out.", style="yellow")
    news = [of_column(read.path.name, c.name, prefix, kind_from=read.path.stem) for c in columns]
    _, identities = await stage.register(target, project, news)
    devices = [Device(who, when_full="wait") for who in identities]
    progress = Progress(rows=read.t_us.size)
    tracks = list(zip(devices, columns, strict=True))
    async with (
        delivering(target, devices, console) as fleet,
        telling(console, lambda: f"row {progress.row:,} of {progress.rows:,} · {status_line(fleet)}"),
    ):
        await play(read, tracks, speed=speed, packet_s=PACKET_S, progress=progress)


def _target(
    *,
    hub: str | None,
    mqtt: str | None,
    data_dir: Path | None,
    email: str | None,
    password: str | None,
    over: Transport = "mqtt",
) -> Target:
    try:
        settings = Settings()
    except ValidationError as error:
        faults = "; ".join(f"ETP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter(faults) from error
    try:
        host, port = host_and_port(mqtt or settings.mqtt)
    except ValueError as error:
        raise typer.BadParameter(f"--mqtt {mqtt}: expected host:port") from error
    owner = settings.login(email, password)
    return Target(hub or settings.hub, host, port, data_dir or settings.data_dir, *owner, transport=over)


def _run(work: Coroutine[Any, Any, None], console: Console, interrupted: int = _INTERRUPTED) -> None:
    """Run a command; Ctrl-C and SIGTERM end it in order, an expected failure is told in words."""
    try:
        ended = asyncio.run(_cancellable(work))
    except _EXPECTED as failed:
        Console(stderr=True).print(f"demo-sensor: {failed}", style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from failed
    if ended:
        console.print("Interrupted.")
        raise typer.Exit(interrupted)


async def _cancellable(work: Coroutine[Any, Any, None]) -> bool:
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False
