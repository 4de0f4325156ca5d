"""The firmware against a whole running system; the parts are real and started once for this file."""

import asyncio
import contextlib
import csv
import dataclasses
import re
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import aiohttp
import msgspec
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from dev import day_tokens
from dev.demo import EXPERIMENTS, PROJECT
from dev.process import tail
from dev.seed import Seeded, SeedRefused, seed
from firmware_sim import hub_api, scenario
from firmware_sim.csv_file import read_csv
from firmware_sim.device import Device
from firmware_sim.export_check import Acknowledged, read_export, to_us
from firmware_sim.faults import FaultPlan
from firmware_sim.fleet import Fleet
from firmware_sim.http_link import HttpLink
from firmware_sim.hub_api import TokenNotKept
from firmware_sim.hub_shapes import Ledger, NewSensor
from firmware_sim.main import app
from firmware_sim.outbox import Packet
from firmware_sim.registration import of_column
from firmware_sim.replay import play, sent_times
from firmware_sim.settings import DEMO_EMAIL, DEMO_PASSWORD, Settings
from firmware_sim.stage import delivering, register
from firmware_sim.start_stop import settled, start_stop
from firmware_sim.token_file import TokenFile, new_token
from tests.firmware_sim.system import System, bench_file, empty_stream, until
from tests.services import TestServers, run

pytestmark = pytest.mark.slow  # the system takes its seconds to start

SILENT = Console(quiet=True)
SPEED = 40.0


@pytest.fixture(scope="module")
def system(servers: TestServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, Seeded]]:
    whole = System(tmp_path_factory.mktemp("system"), run(servers.clone()), run(empty_stream(servers)))
    try:
        yield whole, run(whole.start())
    finally:
        run(whole.stop())


@pytest.fixture
async def hub(system):
    async with hub_api.connected(system[0].settings.hub, DEMO_EMAIL, DEMO_PASSWORD) as session:
        yield session


class TestSeed:
    async def test_the_demo_has_what_it_promises(self, system, hub):
        _, seeded = system
        sensors = await hub.sensors(seeded.project_id)
        assert {"temperature_raw", "pressure_analog", "vibration_spectrum"} <= {s.type for s in sensors}
        assert len(EXPERIMENTS) == 2
        for name, (_, planned) in EXPERIMENTS.items():
            experiment = await hub.experiment(seeded.project_id, name)
            runs = {r.name: r for r in await hub.runs(experiment.id)}
            for plan in planned:
                if plan.capture_s is None:
                    assert runs[plan.name].status == "running"
                    assert await hub.captures(runs[plan.name].id) == []
                    continue
                assert runs[plan.name].status == "succeeded"
                (capture,) = await hub.captures(runs[plan.name].id)
                assert capture.status == "finished"
                stored = await _stored(hub, capture.id)
                rate_hz = sum(s.rate_hz for s in scenario.load("bench").sensors if s.name in plan.sensors)
                assert stored == pytest.approx(rate_hz * plan.capture_s, rel=0.05)

    async def test_seeding_again_changes_nothing(self, system, hub):
        whole, seeded = system
        before = await _census(hub, seeded)
        assert await whole.seed() == seeded
        assert await _census(hub, seeded) == before

    async def test_secrets_are_for_their_owner_only(self, system):
        _, seeded = system
        whole = system[0]
        for path in (seeded.agent_token_file, TokenFile(whole.data_dir).path):
            assert path.stat().st_mode & 0o777 == 0o600

    async def test_production_is_refused(self, tmp_path):
        with pytest.raises(SeedRefused, match="ETP_ENV=production"):
            await seed(Settings(_env_file=None, env="production", data_dir=tmp_path), None)


class TestDayTokens:
    async def test_they_are_printed_and_good_for_a_day_from_each_time(self, system, hub):
        whole, seeded = system
        before = datetime.now(UTC)
        printed = await _printed(whole)
        assert len(printed) == len(day_tokens.SENSORS)
        ends = await _token_ends(hub, printed)
        for end in ends:
            assert before <= end - day_tokens.DAY <= datetime.now(UTC)
        async with aiohttp.ClientSession() as session:
            for token in printed.values():
                async with session.post(
                    f"{whole.settings.hub}/telemetry",
                    json={"samples": [{"v": 20.5}]},
                    headers={"Authorization": f"Bearer {token}"},
                ) as answer:
                    assert answer.status == 202
        assert await _printed(whole) == printed
        assert min(await _token_ends(hub, printed)) > max(ends)
        # The bench and its agent send on, whatever day it is.
        assert set(await _token_ends(hub, [str(one.sensor_id) for one in seeded.sensors])) == {None}


class TestHttp:
    async def test_packets_are_posted_until_acknowledged(self, system, hub, tmp_path):
        whole, seeded = system
        (who,) = await hub.register(seeded.project_id, [NewSensor("posts", "other", "V", "V")], TokenFile(tmp_path))
        device = Device(who, boot="b1")
        over_http = dataclasses.replace(whole.target, transport="http")
        async with delivering(over_http, [device], SILENT) as fleet:
            now_us = to_us(datetime.now(UTC))
            for i in range(4):
                await device.send(now_us + np.arange(i * 5, i * 5 + 5), np.arange(5) / 3)
            assert await fleet.drained(20), fleet.problems
        assert (device.counts.made, device.counts.acknowledged) == (20, 20)
        assert (await hub.sensor_ledger(who.sensor_id)).received == 20

    async def test_a_wrong_token_is_said(self, system, hub, tmp_path):
        whole, seeded = system
        (who,) = await hub.register(seeded.project_id, [NewSensor("forged", "other", "V", "V")], TokenFile(tmp_path))
        forged = Device(dataclasses.replace(who, token=new_token()))
        async with aiohttp.ClientSession() as session:
            fleet = Fleet([HttpLink(forged, whole.settings.hub, session)])
            async with fleet.running():
                await forged.send(np.array([to_us(datetime.now(UTC))]), np.array([1.0]))
                assert await until(lambda: any("answered 401 for forged" in problem for problem in fleet.problems), 10)
                assert not await fleet.drained(0.1)


class TestRegistration:
    async def test_sensors_are_found_by_name_and_registered_once(self, system, hub, tmp_path):
        _, seeded = system
        wanted = [NewSensor(f"found {i}", "other", "V", "V") for i in range(3)]
        first = await hub.register(seeded.project_id, wanted[:2], TokenFile(tmp_path))
        again = await hub.register(seeded.project_id, wanted, TokenFile(tmp_path))
        assert again[:2] == first
        assert len({who.sensor_id for who in again}) == len({who.token for who in again}) == 3

    async def test_a_token_that_is_not_here_is_said(self, system, hub, tmp_path):
        _, seeded = system
        wanted = [NewSensor("elsewhere", "other", "V", "V")]
        await hub.register(seeded.project_id, wanted, TokenFile(tmp_path / "a"))
        with pytest.raises(TokenNotKept, match=r"'elsewhere' is registered.*--prefix"):
            await hub.register(seeded.project_id, wanted, TokenFile(tmp_path / "b"))

    async def test_a_crash_before_the_hubs_answer_was_noted_costs_nothing(self, system, hub, tmp_path):
        _, seeded = system
        wanted, tokens = [NewSensor("crashed", "other", "V", "V")], TokenFile(tmp_path)
        (first,) = await hub.register(seeded.project_id, wanted, tokens)
        known = tokens.known(seeded.project_id)["crashed"]
        known.sensor_id = None
        tokens.remember(seeded.project_id, "crashed", known)
        assert await hub.register(seeded.project_id, wanted, tokens) == [first]


async def test_a_capture_of_a_replay_holds_the_files_values_of_its_span(system, hub, tmp_path):
    whole, _ = system
    file = read_csv(bench_file(tmp_path))
    columns = file.measured()
    assert len(columns) == 8
    project_id, identities = await register(
        whole.target, PROJECT, [of_column("b.csv", c.name, "rig ") for c in columns]
    )
    run_id = await _running(hub, project_id, [who.sensor_id for who in identities])
    devices = [Device(who, when_full="wait") for who in identities]
    start_us = to_us(datetime.now(UTC)) + 500_000
    async with delivering(whole.target, devices, SILENT):
        tracks = list(zip(devices, columns, strict=True))
        playing = asyncio.create_task(play(file, tracks, speed=SPEED, start_us=start_us, packet_s=0.05))
        await until(lambda: devices[0].counts.acknowledged > 20, 20)
        capture = await hub.start_capture(run_id)
        at_start = devices[0].counts.made
        await until(lambda: devices[0].counts.made > at_start + 30, 20)
        capture = await hub.stop_capture(capture.id)
        await playing
    assert capture.started_at is not None
    assert capture.stopped_at is not None
    start, stop = to_us(capture.started_at), to_us(capture.stopped_at)
    sent = sent_times(file.t_us, start_us, SPEED)
    wanted = Acknowledged()
    for who, column in zip(identities, columns, strict=True):
        wanted.note(who, Packet(0, sent[column.row], column.v, b""))
    inside = wanted.between(start, stop)
    assert 8 * 25 < len(inside) < len(wanted.samples)
    await settled(hub, capture.id, len(inside))
    exported = tmp_path / "capture.csv"
    await hub.export_csv(capture.id, exported)
    assert read_export(exported) == dict.fromkeys(inside, 1)
    for who, device in zip(identities, devices, strict=True):
        ledger = await _booked(hub, who.sensor_id, device.counts.made)
        assert (ledger.stored, ledger.duplicates, ledger.rejected) == (device.counts.made, 0, 0)


async def test_a_sensor_registered_a_moment_ago_loses_nothing(system, tmp_path):
    whole, _ = system
    for i in range(2):
        _, (who,) = await register(whole.target, PROJECT, [NewSensor(f"fresh {i}", "other", "V", "V")])
        device = Device(who)
        async with delivering(whole.target, [device], SILENT):
            for k in range(5):
                await device.send(to_us(datetime.now(UTC)) + np.arange(k * 4, k * 4 + 4), np.arange(4) / 7)
        async with hub_api.connected(whole.settings.hub, DEMO_EMAIL, DEMO_PASSWORD) as hub:
            ledger = await _booked(hub, who.sensor_id, 20)
        assert (ledger.received, ledger.stored) == (20, 20)


async def test_faults_on_the_way_show_in_the_ledger(system, hub):
    whole, _ = system
    _, (who,) = await register(whole.target, PROJECT, [NewSensor("faulty", "other", "V", "V")])
    device = Device(who, faults=FaultPlan(drop=0.15, duplicate=0.15, reorder=0.15), seed=5, outbox_limit=1000)
    start_us = to_us(datetime.now(UTC)) - 1_000_000
    async with delivering(whole.target, [device], SILENT):
        for i in range(100):
            await device.send(np.array([start_us + i * 1000]), np.array([i / 7]))
    arrived = 100 - device.faults.dropped
    ledger = await _booked(hub, who.sensor_id, arrived + device.faults.duplicated)
    assert min(device.faults.dropped, device.faults.duplicated, device.faults.reordered) > 5
    assert (ledger.stored, ledger.duplicates) == (arrived, device.faults.duplicated)
    assert ledger.gaps == device.faults.dropped


async def test_start_stop_proves_itself(system, tmp_path):
    whole, _ = system
    outcome = await start_stop(
        whole.target,
        scenario.load("bench"),
        project=PROJECT,
        prefix="own ",
        seconds=1.5,
        publish=None,
        out=tmp_path / "out.csv",
        console=SILENT,
    )
    assert outcome.comparison is not None
    assert outcome.comparison.missing == outcome.comparison.repeated == outcome.comparison.foreign == 0
    assert outcome.comparison.matched == outcome.rows > 100
    ledger = outcome.ledger
    assert ledger.received == ledger.stored + ledger.duplicates + ledger.rejected + ledger.pending


class TestSwitching:
    async def test_each_sample_takes_the_version_of_its_time_in_a_scenario_and_by_the_command(
        self, system, hub, tmp_path
    ):
        whole, seeded = system
        bench = tmp_path / "switched.toml"
        bench.write_text(
            '[[sensors]]\nname = "s"\ntype = "other"\ninput_unit = "V"\ndisplay_unit = "V"\nrate_hz = 20\n'
            'profile = { kind = "linear", slope = 1, intercept = 0 }\nsignal = [{ kind = "noise", sigma = 1 }]\n'
            'switches = [{ after_s = 0, profile = { kind = "linear", slope = 2, intercept = 3 } }]\n'
        )
        (other,) = await hub.register(seeded.project_id, [NewSensor("by hand", "other", "V", "V")], TokenFile(tmp_path))
        (tmp_path / "square.json").write_text('{"kind": "custom", "expression": "x**2"}')
        command = await whole.demo_sensor("switch-profile", "by hand", str(tmp_path / "square.json"))
        outcome = await start_stop(
            whole.target,
            scenario.load(str(bench)),
            project=PROJECT,
            prefix="switched ",
            seconds=8,
            publish=None,
            out=tmp_path / "out.csv",
            console=SILENT,
        )
        found = {"1": 0, "2": 0}
        with outcome.export.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                raw, physical = float(row["raw_value"]), float(row["physical_value"])
                assert physical == (raw if row["profile_version"] == "1" else 2.0 * raw + 3.0)
                found[row["profile_version"]] += 1
        assert min(found.values()) > 0, found
        assert await command.gone(20)
        assert "by hand: version 1 is active" in tail(command.log, 100)
        assert next(s.id for s in await hub.sensors(seeded.project_id) if s.name == "by hand") == other.sensor_id

    def test_the_command_says_what_is_wrong(self, system):
        whole, _ = system
        for sensor, profile, says in (
            ("nobody", '{"kind": "linear"}', "no sensor 'nobody' in demo_project; there are:"),
            ("Shaft speed", '{"kind": "linear"}', "slope"),
            ("Shaft speed", "linear", "no JSON object"),
            ("Shaft speed", "/nowhere.json", "cannot be read"),
        ):
            result = CliRunner().invoke(app, ["switch-profile", sensor, profile], env=whole.env)
            assert result.exit_code, result.output
            assert says in " ".join(result.output.split())


async def test_the_command_publishes_until_interrupted(system):
    whole, _ = system
    program = await whole.demo_sensor("scenario", "bench", "--prefix", "cli ")
    started = await until(lambda: "sensors publish" in tail(program.log, 100), 30)
    assert started, tail(program.log)
    assert program.pid is not None
    await asyncio.sleep(1.0)
    program._child._popen.send_signal(signal.SIGINT)
    assert await program.gone(20)
    text = tail(program.log, 100)
    assert program.returncode == 0, text
    assert "cli Discharge pressure" in text
    assert "10 sensors" in text


async def test_the_command_replays_a_file_over_steps_back(system, tmp_path):
    whole, _ = system
    program = await whole.demo_sensor("replay", str(bench_file(tmp_path)), "--speed", "200", "--columns", "flow")
    assert await program.gone(60)
    text = tail(program.log, 100)
    assert program.returncode == 0, text
    assert "bench flow" in text
    assert "130" in text


def test_the_command_says_what_to_do(system, tmp_path):
    whole, _ = system
    notes = tmp_path / "notes.csv"
    notes.write_text("name,v\na,1\n")
    for arguments, says in (
        (["replay", str(notes)], "has no time column among name, v"),
        (["scenario", "bench", "--password", "wrong"], "E-mail"),
        (["scenario", "bench", "--hub", "http://127.0.0.1:9"], "is the system running"),
    ):
        result = CliRunner().invoke(app, arguments, env=whole.env)
        assert result.exit_code == 1
        assert says in result.output


async def _running(hub, project_id, sensors):
    experiment = await hub.experiment(project_id, "Replays")
    run = await hub.new_run(experiment.id, name="replay")
    await hub.begin_run(run.id, sensors)
    return run.id


async def _stored(hub, capture_id) -> int:
    return (await hub.capture_ledger(capture_id)).stored


async def _booked(hub, sensor_id, received: int) -> Ledger:
    ledger = await hub.sensor_ledger(sensor_id)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            while ledger.received < received or ledger.pending:
                await asyncio.sleep(0.05)
                ledger = await hub.sensor_ledger(sensor_id)
    assert (ledger.received, ledger.pending) == (received, 0), ledger
    return ledger


async def _census(hub, seeded) -> list[object]:
    experiments = [await hub.experiment(seeded.project_id, name) for name in EXPERIMENTS]
    runs = [r for e in experiments for r in await hub.runs(e.id)]
    captures = [c for r in runs for c in await hub.captures(r.id)]
    return [await hub.agents(seeded.project_id), experiments, runs, captures]


async def _printed(whole):
    """Run bin/demo_seed.py and return the tokens that it prints, by their sensors' ids."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "bin/demo_seed.py", env=whole.env, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 0
    return dict(re.findall(r"  ([0-9a-f-]{36})  (etps_\S+)$", output.decode(), re.MULTILINE))


async def _token_ends(hub, sensor_ids):
    read = [msgspec.json.decode(await hub.ask("GET", f"/sensors/{sensor_id}")) for sensor_id in sensor_ids]
    return [one["token_expires_at"] and datetime.fromisoformat(one["token_expires_at"]) for one in read]
