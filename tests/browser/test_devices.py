"""Limits, test packets, axes and edge agents in a real Chromium, against a whole system."""

import pytest

from tests.browser.conftest import Spec

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_devices_in_a_browser(in_browser: Spec) -> None:
    in_browser("devices.spec.ts")
