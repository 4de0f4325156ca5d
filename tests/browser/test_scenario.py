"""The basic scenario in a real Chromium, against a whole system with its demo and a publishing bench."""

import pytest

from tests.browser.conftest import Spec
from tests.firmware_sim.system import System
from tests.services import run

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_main_job_in_a_browser(system: System, in_browser: Spec) -> None:
    run(system.demo_sensor("scenario", "bench"))
    in_browser("scenario.spec.ts")
