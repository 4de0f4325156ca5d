"""Chaos in its long form: `python -m tests.chaos [SEED]`, or `make chaos`."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from contract import logs
from tests.chaos.plan import Plan
from tests.chaos.run import Load, Outcome, chaos

OUTAGES_S: Final = (30.0, 300.0)
# What a line through a minute or two of a busy process may rise by chance; a leak of a list of samples is far above.
MOST_MIB_A_MINUTE: Final = 8.0
WITHOUT_KILLS_S: Final = 150.0
# Behind the last outage nothing is left that a process remembers only until the database is back.
CALM_S: Final = 30.0


def main() -> int:
    """Run, print an account, and return 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, help="of an earlier run, to have it again")
    parser.add_argument("--duration-s", type=float, default=600.0)
    parser.add_argument("--sensors", type=int, default=200, help="half of them over MQTT, 25 samples/s each")
    parser.add_argument("--outages-s", type=float, nargs="*", default=OUTAGES_S, help="how long the database is away")
    parser.add_argument("--broker", choices=("mosquitto", "deployed", "embedded"), default="mosquitto")
    told = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if told.seed is None else told.seed
    plan = Plan(seed, told.duration_s, tuple(told.outages_s), without_kills_s=min(WITHOUT_KILLS_S, told.duration_s / 4))
    half = told.sensors // 2
    logs.configure()
    print(f"seed {seed}: make chaos SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="etp-chaos-") as folder:
        outcome = asyncio.run(
            chaos(Path(folder), plan, Load(half, told.sensors - half, max(1, half // 10), told.broker))
        )
        grown = growth(outcome, plan)
        print(outcome.report(), *grown, f"seed {seed}", sep="\n", flush=True)
    return (
        1 if outcome.problems or outcome.http.late or outcome.mqtt.late or any("PROBLEM" in one for one in grown) else 0
    )


def growth(outcome: Outcome, plan: Plan) -> list[str]:
    """Tell how the memory of each process grew while nothing had to be remembered."""
    back_s = max((fault.at_s + fault.for_s for fault in plan.faults() if fault.kind == "away"), default=0.0)
    told: list[str] = []
    for one in outcome.memory.slopes(back_s + CALM_S):
        verdict = "PROBLEM " if one.mib_a_minute > MOST_MIB_A_MINUTE else ""
        told.append(
            f"{verdict}{one.name} ({one.pid}) grew {one.mib_a_minute:+.2f} MiB a minute over {one.over_s:.0f} s"
        )
    return told


if __name__ == "__main__":
    sys.exit(main())
