"""Only the property tests, with many more random cases than a build draws: `python -m tests.fuzz`, or `make fuzz`."""

import argparse
import secrets
import subprocess
import sys
from pathlib import Path

from tests.cases import SEARCH

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Search, and say how to have the same search again; return pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", default="", help="of an earlier search, to have it again")
    parser.add_argument("--only", default="tests", help="a folder, a file or a test, as pytest names it")
    told = parser.parse_args()
    seed = int(told.seed) if told.seed else secrets.randbelow(1_000_000)
    only = told.only or "tests"
    print(f"seed {seed}: make fuzz SEED={seed} ONLY={only}", flush=True)
    spread = ["-n", "2", "--dist", "worksteal", "--timeout", "3600"]  # one test may take minutes here
    profile = ["-m", "hypothesis", "--hypothesis-profile", SEARCH, "--hypothesis-seed", str(seed)]
    code = subprocess.call([sys.executable, "-m", "pytest", "-q", *spread, *profile, only], cwd=ROOT)
    if code:
        print(
            f"Again, one test: make fuzz SEED={seed} ONLY=file::test, as named above. What failed is also kept in"
            " .hypothesis/ and tried first by the next search. Cases worth keeping: write them as @example(…).",
            flush=True,
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
