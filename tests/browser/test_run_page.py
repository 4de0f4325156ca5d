"""Broken lines, ticking counts and late parts of the run page in a real Chromium, against a whole system."""

import pytest

from tests.browser.conftest import Spec

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_run_page_tells_the_whole_truth(in_browser: Spec) -> None:
    in_browser("run-page.spec.ts")
