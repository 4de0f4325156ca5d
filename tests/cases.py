"""How many cases property tests draw: in builds the same few each time, in a search many more at random."""

from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, settings

SEARCH = "search"
TIMES = 50


def register() -> None:
    """Make the two profiles known and choose that of builds; `--hypothesis-profile=search` chooses the other."""
    # The same code meets the same cases: a build fails by what was changed, never by dice.
    settings.register_profile("build", derandomize=True, deadline=None)
    # Said, not left out: where the environment says CI, hypothesis draws no cases of its own.
    settings.register_profile(SEARCH, max_examples=100 * TIMES, deadline=None, derandomize=False, print_blob=True)
    settings.load_profile("build")


def cases(
    count: int, *, in_search: int | None = None, suppress: Collection[HealthCheck] = (), **other: Any
) -> settings:
    """Draw `count` cases; in a search fifty times as many, or `in_search` where each of them takes long.

    `suppress` are health checks that do not fit; `other` are settings of hypothesis under either profile.
    """
    if settings.get_current_profile_name() == SEARCH:
        count = in_search or count * TIMES
    return settings(max_examples=count, suppress_health_check=suppress, **other)
