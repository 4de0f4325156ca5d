"""Whatever a route changes or shows of experiment data, its handler writes down as a fact."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import pytest

from hub.app import ENDPOINTS
from hub.kit.endpoint import Endpoint
from hub.ledger.service import record, record_apart
from tests.hub.ledger.rules import NEVER, SHOWS_DATA, SOMETIMES, name

RECORDERS = {record, record_apart}


def calls(function: FunctionType) -> Iterator[object]:
    """Find the functions that a function names in its calls: `f(…)` and `module.f(…)`."""
    known = function.__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        match node:
            case ast.Call(func=ast.Name(id=called)):
                yield known.get(called)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=called)):
                yield getattr(known.get(module), called, None)
            case _:
                pass


def records(function: Callable[..., Any], seen: set[object]) -> bool:
    """Tell whether a function of the hub, or one that it calls, writes a fact."""
    if function in RECORDERS:
        return True
    if not isinstance(function, FunctionType) or function in seen or not function.__module__.startswith("hub."):
        return False
    seen.add(function)
    return any(callable(called) and records(called, seen) for called in calls(function))


def test_the_search_finds_its_way() -> None:
    found = {endpoint.handler.__name__: records(endpoint.handler, set()) for endpoint in ENDPOINTS}
    assert found["finish_run"], "through moves, guards and back"
    assert not found["read_run"]


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.method != "GET"], ids=name)
def test_every_change_is_a_fact(endpoint: Endpoint) -> None:
    assert records(endpoint.handler, set()) is (name(endpoint) not in NEVER)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if SHOWS_DATA.search(one.path)], ids=name)
def test_every_reading_of_data_is_a_fact(endpoint: Endpoint) -> None:
    assert records(endpoint.handler, set())


def test_exemptions_exist() -> None:
    assert {name(endpoint) for endpoint in ENDPOINTS} >= NEVER.keys() | SOMETIMES.keys()
