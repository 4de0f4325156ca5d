"""Rules that are read off the source."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_is_finalized_meanwhile() -> Iterator[None]:
    """Python before 3.13 cannot parse while a finalizer does, as pytest does to report one that fails."""
    gc.disable()
    yield
    gc.enable()
