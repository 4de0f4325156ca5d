"""The whole Start → Stop cycle in one go: a run, a capture, its export, and proof that nothing is missing."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from rich.console import Console

from firmware_sim import hub_api
from firmware_sim.device import Device, Identity
from firmware_sim.export_check import Acknowledged, Comparison, compare, read_export, to_us
from firmware_sim.hub_shapes import Capture, Ledger, Run
from firmware_sim.registration import of_plan
from firmware_sim.report import status_line, telling
from firmware_sim.scenario import Sampler, Scenario, sample
from firmware_sim.stage import Target, delivering
from firmware_sim.switching import switching
from firmware_sim.token_file import TokenFile

EXPERIMENT = "Start and stop"
_LIVE_S = 10.0
_SETTLE_S = 60.0
_POLL_S = 0.25


class CaptureIncomplete(Exception):
    """The capture does not hold exactly what was acknowledged."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished cycle: export, ledger, and the comparison with what this program itself sent (None if nothing)."""

    run: Run
    capture: Capture
    ledger: Ledger
    export: Path
    rows: int
    comparison: Comparison | None


async def start_stop(
    target: Target,
    scenario: Scenario,
    *,
    project: str,
    prefix: str,
    seconds: float,
    publish: bool | None,
    out: Path | None,
    console: Console,
) -> Outcome:
    """Record a scenario's sensors for `seconds` and export the capture.

    `publish` None: send only when the sensors are not live already. Raises CaptureIncomplete when the export lacks an
    acknowledged sample, holds one twice, holds not as many as the ledger says, or (when only this program sends) holds
    one that it did not send.
    """
    async with hub_api.connected(target.hub_url, target.email, target.password) as hub:
        project_id = (await hub.project(project)).id
        identities = await hub.register(
            project_id, [of_plan(s, prefix) for s in scenario.sensors], TokenFile(target.data_dir)
        )
        live = await _live(hub, project_id, identities)
        sends = not live if publish is None else publish
        if live and not sends:
            console.print("The sensors are live already; their own samples are recorded.")
        experiment = await hub.experiment(project_id, EXPERIMENT, "Made by demo-sensor start-stop")
        run = await hub.new_run(
            experiment.id,
            name=f"{scenario.name}, {seconds:g} s",
            params={"scenario": scenario.name, "seconds": seconds},
        )
        await hub.begin_run(run.id, [identity.sensor_id for identity in identities])
        console.print(f"Run {run.number} of {EXPERIMENT!r} is running with {len(identities)} sensors.")
        witness = Acknowledged()
        try:
            async with _sending(target, scenario, identities, witness, console) if sends else nullcontext():
                capture = await hub.start_capture(run.id)
                console.print(f"Capture {capture.ordinal_number} records for {seconds:g} s …")
                try:
                    await asyncio.sleep(seconds)
                finally:
                    capture = await hub.stop_capture(capture.id)
        finally:
            await hub.finish_run(run.id)
        start_us, stop_us = _bounds(capture)
        wanted = witness.between(start_us, stop_us)
        ledger = await settled(hub, capture.id, len(wanted))
        path = out or target.data_dir / "exports" / f"run-{run.number}-capture-{capture.ordinal_number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        await hub.export_csv(capture.id, path)
        after = await hub.capture_ledger(capture.id)
    exported = await asyncio.to_thread(read_export, path)
    comparison = compare(wanted, exported) if sends else None
    outcome = Outcome(run, capture, ledger, path, exported.total(), comparison)
    _tell(outcome, console)
    # What others sent for its sensors is known by number only; some may have been stored while the export was written.
    if not ledger.stored <= outcome.rows <= after.stored:
        raise CaptureIncomplete(f"{path} holds {outcome.rows:,} samples, the ledger {ledger.stored:,}")
    if comparison is not None and (comparison.missing or comparison.repeated or (comparison.foreign and not live)):
        raise CaptureIncomplete(f"{path} is not what was acknowledged between Start and Stop")
    return outcome


async def _live(hub: hub_api.Hub, project_id: UUID, identities: Sequence[Identity]) -> bool:
    ids = {identity.sensor_id for identity in identities}
    newest = [s.last_t for s in await hub.sensors(project_id) if s.id in ids]
    now = datetime.now(UTC)
    return all(t is not None and (now - t).total_seconds() < _LIVE_S for t in newest)


@asynccontextmanager
async def _sending(
    target: Target,
    scenario: Scenario,
    identities: Sequence[Identity],
    witness: Acknowledged,
    console: Console,
) -> AsyncGenerator[None]:
    plans = list(zip(scenario.sensors, identities, strict=True))
    devices = [Device(who, faults=plan.faults, seed=plan.seed, on_acknowledged=witness.note) for plan, who in plans]
    async with delivering(target, devices, console) as fleet:
        samplers = [Sampler(plan, device) for (plan, _), device in zip(plans, devices, strict=True)]
        sampling = asyncio.create_task(sample(samplers))
        try:
            played = [(who, plan.switches) for plan, who in plans]
            async with telling(console, lambda: status_line(fleet)), switching(target, played, 1.0, console):
                yield
            # One more packet each, so that every sensor is heard past Stop.
            await asyncio.sleep(max(plan.packet_s for plan in scenario.sensors) + 0.1)
        finally:
            sampling.cancel()


def _bounds(capture: Capture) -> tuple[int, int]:
    if capture.started_at is None or capture.stopped_at is None:
        raise CaptureIncomplete(f"capture {capture.ordinal_number} is {capture.status} and has no bounds")
    return to_us(capture.started_at), to_us(capture.stopped_at)


async def settled(hub: hub_api.Hub, capture_id: UUID, expected: int) -> Ledger:
    """Wait until the capture holds what was acknowledged, or 60 s: MQTT acknowledges before the hub has it."""
    deadline = time.monotonic() + _SETTLE_S
    while True:
        ledger = await hub.capture_ledger(capture_id)
        if (ledger.stored >= expected and ledger.pending == 0) or time.monotonic() > deadline:
            return ledger
        await asyncio.sleep(_POLL_S)


def _tell(outcome: Outcome, console: Console) -> None:
    ledger, comparison = outcome.ledger, outcome.comparison
    start_us, stop_us = _bounds(outcome.capture)
    seconds = (stop_us - start_us) / 1e6
    number = outcome.capture.ordinal_number
    console.print(f"Capture {number}: {seconds:.3f} s, {outcome.rows:,} samples in {outcome.export}", soft_wrap=True)
    console.print(
        f"Ledger: {ledger.received:,} received = {ledger.stored:,} stored + {ledger.duplicates:,} duplicates"
        f" + {ledger.rejected:,} rejected + {ledger.pending:,} pending · {ledger.late:,} late"
    )
    if comparison is not None:
        foreign = f" · {comparison.foreign:,} from other senders" if comparison.foreign else ""
        console.print(
            f"Acknowledged between Start and Stop: {comparison.matched + comparison.missing:,} ·"
            f" in the export bit for bit: {comparison.matched:,} · missing: {comparison.missing:,}"
            f" · twice: {comparison.repeated:,}{foreign}"
        )
