"""Every SQL statement of the hub is understood by PostgreSQL on the migrated schema, and stands where SQL belongs."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg

HUB = Path(__file__).resolve().parents[2] / "hub"
METHODS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor", "prepare"}
# The kit has no slice of its own for its one table; /readyz asks whether the database answers at all.
OUTSIDE_QUERIES = {"kit/idempotency.py", "health.py"}


class Statement(NamedTuple):
    """A call that sends SQL; text None when it is not written out where it is sent."""

    module: str
    line: int
    text: str | None


def statements(source: str, module: str) -> Iterator[Statement]:
    """Find the calls of asyncpg's methods on a transaction or connection."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr=name) | ast.Name(id=name), attr=method), args=args
            ):
                if method not in METHODS or name not in {"tx", "connection"}:
                    continue
                match args:
                    case [ast.Constant(value=str(text)), *_]:
                        yield Statement(module, node.lineno, text)
                    case _:
                        yield Statement(module, node.lineno, None)
            case _:
                pass


def of_the_hub() -> list[Statement]:
    return [
        statement
        for file in sorted(HUB.rglob("*.py"))
        for statement in statements(file.read_text(), str(file.relative_to(HUB)))
    ]


def test_finds_statements() -> None:
    source = "async def f(tx, ctx):\n await tx.fetch('a', 1)\n await ctx.tx.execute('b')\n await tx.fetchval(f'c{1}')\n"
    assert [statement[1:] for statement in statements(source, "m")] == [(2, "a"), (3, "b"), (4, None)]


def test_all_are_literals() -> None:
    assert [statement for statement in of_the_hub() if statement.text is None] == []


def test_all_stand_in_queries() -> None:
    modules = {statement.module for statement in of_the_hub()}
    assert {module for module in modules if not module.endswith("queries.py")} <= OUTSIDE_QUERIES


def test_modules_of_queries_send_every_literal() -> None:
    found = of_the_hub()
    for file in HUB.rglob("*queries.py"):
        functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.AsyncFunctionDef)]
        sent = [statement for statement in found if statement.module == str(file.relative_to(HUB))]
        assert len(sent) == len(functions), f"{file}: one statement a function"


async def test_all_can_be_prepared(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    found = of_the_hub()
    assert len(found) > 100
    faults: list[str] = []
    for statement in found:
        try:
            await connection.prepare(statement.text or "")
        except asyncpg.PostgresError as error:
            faults.append(f"hub/{statement.module}:{statement.line}: {error}")
    await connection.close()
    assert faults == []
