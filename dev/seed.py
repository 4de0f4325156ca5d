"""Fills a running system with the demo, as far as it is missing, through the hub's public API."""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from dev.demo import AGENT, EXPERIMENTS, HISTORY_S, PROJECT, USERS, PlannedRun
from firmware_sim import scenario as scenarios
from firmware_sim.device import Identity
from firmware_sim.hub_api import Hub, HubRefused, HubUnreachable, connected
from firmware_sim.hub_shapes import Agent, Run
from firmware_sim.registration import of_plan
from firmware_sim.scenario import F64, Scenario, grid
from firmware_sim.settings import DEMO_PASSWORD, Settings
from firmware_sim.token_file import TokenFile
from hub.admin import ensure_member
from hub.kit.db import Database
from hub.projects.models import Role

_BATCH = 10_000
_ATTEMPTS = 30


class SeedRefused(Exception):
    """The demo may not be seeded here."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the demo consists of; the agent's id and token are in files beside each other."""

    project_id: UUID
    sensors: list[Identity]
    agent_id: UUID
    agent_id_file: Path
    agent_token_file: Path


async def seed(settings: Settings, database_url: str | None) -> Seeded:
    """Create what is missing of the demo through the hub's API; users come from SQL, for they are invited otherwise.

    `database_url` is needed only while the logins are missing. Raises SeedRefused in production.
    """
    if settings.env == "production":
        raise SeedRefused("ETP_ENV=production refuses the demo's known passwords")
    await _users(settings, database_url)
    async with connected(settings.hub, "owner@example.com", DEMO_PASSWORD) as hub:
        project = await hub.project(PROJECT)
        bench = scenarios.load("bench")
        sensors = await hub.register(project.id, [of_plan(s) for s in bench.sensors], TokenFile(settings.data_dir))
        agent_id, id_file, token_file = await _agent(hub, project.id, settings.data_dir / "edge")
        token = token_file.read_text(encoding="utf-8").strip()
        missing = await _missing_runs(hub, project.id)
        if any(plan.capture_s is not None for _, _, plan in missing):
            await ingest_history(settings.hub, token, bench, sensors, HISTORY_S)
        ids = {identity.name: identity.sensor_id for identity in sensors}
        for experiment_id, run, plan in missing:
            await _record(hub, experiment_id, run, plan, [ids[name] for name in plan.sensors])
    return Seeded(project.id, sensors, agent_id, id_file, token_file)


async def _users(settings: Settings, database_url: str | None) -> None:
    if all([await _is_member(settings.hub, role) for role in USERS]):
        return
    if database_url is None:
        raise SeedRefused("the demo's logins are missing: set ETP_DATABASE_URL, so that they can be created")
    # Only here the demo reaches past the API: nobody can invite the first user.
    database = Database(database_url, max_size=1)
    try:
        async with database.transaction() as tx:
            for role, name in USERS.items():
                await ensure_member(
                    tx, email=f"{role}@example.com", name=name, password=DEMO_PASSWORD, project=PROJECT, role=Role(role)
                )
    finally:
        await database.close()


class _Membership(msgspec.Struct):
    name: str
    role: str


class _Me(msgspec.Struct):
    projects: list[_Membership]


async def _is_member(hub_url: str, role: str) -> bool:
    try:
        async with connected(hub_url, f"{role}@example.com", DEMO_PASSWORD) as hub:
            me = msgspec.json.decode(await hub.ask("GET", "/auth/me"), type=_Me)
    except HubRefused as refused:
        if refused.status == 401:
            return False
        raise
    return any(p.name == PROJECT and p.role == role for p in me.projects)


async def _agent(hub: Hub, project_id: UUID, folder: Path) -> tuple[UUID, Path, Path]:
    id_file, token_file = folder / "agent-id", folder / "token"
    there = {agent.name: agent.id for agent in await hub.agents(project_id)}
    known = id_file.read_text(encoding="utf-8").strip() if id_file.exists() and token_file.exists() else None
    if AGENT in there and known == str(there[AGENT]):
        return there[AGENT], id_file, token_file
    if AGENT in there:
        # Its token is told once and was not kept (a crash between answer and file): a new agent takes its place.
        await hub.ask("DELETE", f"/edge-agents/{there[AGENT]}")
    agent = await hub.post(f"/projects/{project_id}/edge-agents", {"name": AGENT, "default": True}, Agent)
    _write_secret(token_file, agent.token or "")
    _write_secret(id_file, str(agent.id))
    return agent.id, id_file, token_file


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        os.fchmod(descriptor, 0o600)
        out.write(text + "\n")
        out.flush()
        os.fsync(descriptor)


async def _missing_runs(hub: Hub, project_id: UUID) -> list[tuple[UUID, Run | None, PlannedRun]]:
    missing: list[tuple[UUID, Run | None, PlannedRun]] = []
    for name, (description, planned) in EXPERIMENTS.items():
        experiment = await hub.experiment(project_id, name, description)
        there = {run.name: run for run in await hub.runs(experiment.id)}
        for plan in planned:
            run = there.get(plan.name)
            unfinished = {"draft"} if plan.capture_s is None else {"draft", "running"}
            if run is None or run.status in unfinished:
                missing.append((experiment.id, run, plan))
    return missing


async def _record(hub: Hub, experiment_id: UUID, run: Run | None, plan: PlannedRun, sensors: list[UUID]) -> None:
    if run is None:
        run = await hub.new_run(
            experiment_id,
            name=plan.name,
            params=plan.params,
            environment=plan.environment,
            config=plan.config,
            git_sha=plan.git_sha,
        )
    if run.status == "draft":
        await hub.begin_run(run.id, sensors)
    if plan.capture_s is None:
        return
    for left in await hub.captures(run.id):
        if left.status == "running":
            await hub.stop_capture(left.id)
    # A capture is a range of event time: a pre-roll makes it cover the history that was just ingested.
    capture = await hub.start_capture(run.id, pre_roll_s=plan.capture_s, notes=plan.notes)
    await hub.stop_capture(capture.id)
    await hub.finish_run(run.id)


class _Series(msgspec.Struct):
    sensor_id: UUID
    t: list[float]
    v: list[Any]


async def ingest_history(hub_url: str, agent_token: str, bench: Scenario, sensors: list[Identity], seconds: int) -> int:
    """Post the bench's last `seconds` to the public ingest endpoint with the agent's token; returns the samples."""
    now_us = time.time_ns() // 1000
    batches: list[_Series] = []
    for plan, who in zip(bench.sensors, sensors, strict=True):
        t, v = _history(plan, now_us, seconds)
        at_once = _BATCH * len(v) // v.size
        batches += [
            _Series(who.sensor_id, t[at : at + at_once], v[at : at + at_once].tolist())
            for at in range(0, len(t), at_once)
        ]
    batches.sort(key=lambda batch: batch.t[0])  # in turns, so that no sensor sends faster than it may
    headers = {"Authorization": f"Bearer {agent_token}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        for batch in batches:
            await _post(session, f"{hub_url}/telemetry", msgspec.json.encode({"series": [batch]}))
    return sum(len(batch.t) for batch in batches)


def _history(plan: scenarios.SensorPlan, now_us: int, seconds: int) -> tuple[list[float], F64]:
    t_us = grid(plan.rate_hz, now_us - seconds * 1_000_000, now_us)
    t = t_us / 1e6
    return t.tolist(), plan.signal().at(t)


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    text = ""
    for _ in range(_ATTEMPTS):
        try:
            async with session.post(url, data=body) as answer:
                if answer.status == 202:
                    return
                text = await answer.text()
                if answer.status not in {429, 503}:
                    raise HubRefused(
                        answer.status, "telemetry-refused", f"{url} answered {answer.status}: {text[:500]}"
                    )
                wait_s = float(answer.headers.get("Retry-After", "1"))
        except (aiohttp.ClientError, TimeoutError) as lost:
            raise HubUnreachable(f"{url} does not answer: {lost}") from lost
        await asyncio.sleep(wait_s)
    raise HubUnreachable(f"{url} has been refusing batches for too long: {text[:500]}")


def main() -> int:
    """Seed the system that the settings name; return the exit code."""
    try:
        seeded = asyncio.run(seed(Settings(), os.environ.get("ETP_DATABASE_URL")))
    except (SeedRefused, HubRefused, HubUnreachable) as failed:
        print(f"✗ {failed}", file=sys.stderr)
        return 1
    print(f"{PROJECT}: {len(seeded.sensors)} sensors, {len(EXPERIMENTS)} experiments, edge agent {seeded.agent_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
