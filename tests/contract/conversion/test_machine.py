"""Numpy takes other paths on other processors; with the special ones switched off, this machine stands for another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from contract.conversion.functions import FUNCTIONS
from tests.contract.conversion import machine

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def here() -> dict[str, list[str]]:
    return machine.converted()


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, list[str]]:
    special = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    result = subprocess.run(
        [sys.executable, "-m", "tests.contract.conversion.machine"],
        cwd=ROOT,
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(special)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return json.loads(result.stdout)


def test_every_function_is_covered():
    assert machine.covered() == set(FUNCTIONS)


@pytest.mark.parametrize("name", machine.EXACT)
def test_agrees_to_the_bit(name, here, elsewhere):
    assert here[name] == elsewhere[name]


@pytest.mark.parametrize("name", machine.ROUGH)
def test_agrees_within_4_ulp(name, here, elsewhere):
    ours, theirs = (np.array([float.fromhex(value) for value in side[name]]) for side in (here, elsewhere))
    assert (np.isnan(ours) == np.isnan(theirs)).all()
    np.testing.assert_array_max_ulp(ours[np.isfinite(ours)], theirs[np.isfinite(ours)], 4)
