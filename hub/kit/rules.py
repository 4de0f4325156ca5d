"""What a rule of the database refuses, told as the problem that the route declares for it."""

from collections.abc import Iterable

import asyncpg
import orjson

from hub.kit.problems import Problem


def problem_of(error: asyncpg.CheckViolationError, problems: Iterable[type[Problem]]) -> Problem | None:
    """Make the first of `problems` that stands for the violated rule; None when none of them does.

    The handler's own check missed what the rule saw. The violation's detail holds the facts for the problem's text.
    """
    for problem in problems:
        if error.constraint_name in problem.rules:
            return problem(**orjson.loads(error.detail or "{}"))
    return None
