"""A calibration in a real Chromium: drafted, fitted, published with a backfill, and both revisions looked at."""

import pytest

from tests.browser.conftest import Spec

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_calibration_in_a_browser(in_browser: Spec) -> None:
    in_browser("conversion.spec.ts")
