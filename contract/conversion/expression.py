"""The reading of an expression: from text to a tree of what is allowed, everything else refused with its place."""

import ast
import contextlib
import keyword
import re
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

import msgspec

from contract.conversion.functions import FUNCTIONS

MAX_CHARACTERS: Final = 1000
MAX_PARTS: Final = 250
MAX_DEPTH: Final = 64
# These cost 3 to 60 ns a sample, up to 440 for subnormal numbers; an operator 1, up to 20. A packet of 10,000 samples
# then takes 15 ms at the most, or 140 ms if somebody fills it with subnormal numbers.
MAX_FUNCTIONS: Final = 20

BUILT_IN: Final = ("x", "pi", "e")

_TOKEN = re.compile(
    r"[ \t\r\n]+|(?P<number>[0-9.](?:[0-9A-Za-z_.]|(?<=[0-9.][eE])[+-])*)|(?P<name>[A-Za-z_][0-9A-Za-z_]*)"
    r"|\*\*|[<>=!]=|(?!//)[-+*/<>(),]"
)
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ALLOWED = (
    "Allowed are numbers, x, pi, e, the constants, + - * / **, parentheses and the functions "
    f"{', '.join(FUNCTIONS)}; in where also < <= > >= == != and or not"
)
_HINTS = {"^": "Write ** for a power. ", "/": "Write floor(a/b) for a whole quotient. "}
_WORDS = frozenset(keyword.kwlist) - {"and", "or", "not"}

_BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


class ExpressionInvalid(ValueError):
    """The text is no expression."""


class Number(msgspec.Struct, frozen=True):
    """A number as written: finite, not negative."""

    value: float


class Name(msgspec.Struct, frozen=True):
    """The raw value x, or a constant."""

    name: str


class Apply(msgspec.Struct, frozen=True):
    """A function or an operator with what it is applied to."""

    symbol: str
    arguments: "tuple[Node, ...]"


Node: TypeAlias = Number | Name | Apply


def parse_expression(text: str, constants: Collection[str]) -> Node:
    """Read an expression over x, pi, e and the named constants. Raise `ExpressionInvalid` with the column, from 1.

    The text means what it means in Python, but nothing of it is ever run: it becomes a tree of at most MAX_PARTS known
    nodes, MAX_FUNCTIONS of them functions or powers, nested at most MAX_DEPTH deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refusal(MAX_CHARACTERS, f"An expression has at most {MAX_CHARACTERS} characters, not {len(text)}")
    _check_tokens(text)
    line = re.sub(r"[ \t\r\n]", " ", text)
    margin = len(line) - len(line.lstrip())
    try:
        parsed = _syntax(line[margin:])
    except SyntaxError as error:
        if not error.offset:
            raise _refusal(len(line.rstrip()) + 1, "Something is missing at the end") from None
        raise _refusal(margin + error.offset, f"{error.msg[:1].upper()}{error.msg[1:]}") from None
    except (RecursionError, MemoryError):
        raise _refusal(margin + 1, "The expression is nested too deeply") from None
    return _Reader(constants, margin).number(parsed, 1)


def _syntax(line: str) -> ast.expr:
    # Python before 3.13 mixes its depths up where a finalizer parses meanwhile, as writing a traceback does.
    for _ in range(2):
        with contextlib.suppress(SystemError):
            return ast.parse(line, mode="eval").body
    return ast.parse(line, mode="eval").body


class _Reader:
    """Turns Python's tree into ours, counting what it holds."""

    def __init__(self, constants: Collection[str], margin: int) -> None:
        self._names = {*BUILT_IN, *constants}
        self._constants = constants
        self._margin = margin
        self._parts = 0
        self._functions = 0

    def number(self, node: ast.expr, depth: int) -> Node:
        """Read what has a number for its value."""
        self._count(node, depth)
        match node:
            case ast.Constant(value=int() | float() as value):
                return Number(self._finite(node, value))
            case ast.Name(id=name):
                return self._named(node, name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Apply("neg", (self.number(operand, depth + 1),))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                if isinstance(op, ast.Pow):
                    self._count_function(node)
                return Apply(_BINARY[type(op)], (self.number(left, depth + 1), self.number(right, depth + 1)))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(node, name, arguments, depth)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                raise self._refusal(node, "A condition can only be the first argument of where")
            case _:
                raise self._refusal(node, f"This is not allowed. {_ALLOWED}")

    def condition(self, node: ast.expr, depth: int) -> Node:
        """Read what is true or false."""
        self._count(node, depth)
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                return Apply(_COMPARISONS[type(op)], (self.number(left, depth + 1), self.number(right, depth + 1)))
            case ast.Compare(ops=[_, _, *_]):
                raise self._refusal(node, "Write 0 <= x and x < 1, not 0 <= x < 1")
            case ast.BoolOp(op=op, values=[first, *others]):
                symbol = "and" if isinstance(op, ast.And) else "or"
                inner = depth + len(others)  # each joins what stands before it: the tree leans to the left
                result = self.condition(first, inner)
                for other in others:
                    self._count(other, inner)
                    result = Apply(symbol, (result, self.condition(other, inner)))
                return result
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Apply("not", (self.condition(operand, depth + 1),))
            case _:
                raise self._refusal(node, "The first argument of where is a condition, such as x < 1")

    def _call(self, node: ast.expr, name: str, arguments: Sequence[ast.expr], depth: int) -> Node:
        self._count_function(node)
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._refusal(node, f"{name} is no function. {_ALLOWED}")
        if not function.fewest <= len(arguments) <= (function.most or MAX_PARTS):
            number = f"{function.fewest} or more" if function.most is None else f"{function.fewest}"
            raise self._refusal(node, f"{name} takes {number} argument{'s' * (number != '1')}, not {len(arguments)}")
        if name == "where":
            first = self.condition(arguments[0], depth + 1)
            return Apply(name, (first, *(self.number(argument, depth + 1) for argument in arguments[1:])))
        return Apply(name, tuple(self.number(argument, depth + 1) for argument in arguments))

    def _named(self, node: ast.expr, name: str) -> Node:
        if name in self._names:
            return Name(name)
        if name in FUNCTIONS:
            raise self._refusal(node, f"{name} is a function: write {name}(…)")
        known = ", ".join([*BUILT_IN, *sorted(self._constants)])
        raise self._refusal(
            node, f"{name} is not known. Known are {known}; give a value for {name} among the constants"
        )

    def _finite(self, node: ast.expr, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:  # a whole number of more than 308 digits
            number = float("inf")
        if number == float("inf"):
            raise self._refusal(node, "The number is too large for a floating-point number")
        return number

    def _count(self, node: ast.expr, depth: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise self._refusal(node, f"An expression has at most {MAX_PARTS} numbers, names, operators and functions")
        if depth > MAX_DEPTH:
            raise self._refusal(
                node, f"An expression is nested at most {MAX_DEPTH} deep; poly(x, …) makes long sums flat"
            )

    def _count_function(self, node: ast.expr) -> None:
        self._functions += 1
        if self._functions > MAX_FUNCTIONS:
            raise self._refusal(node, f"An expression has at most {MAX_FUNCTIONS} functions and powers")

    def _refusal(self, node: ast.expr, msg: str) -> ExpressionInvalid:
        return _refusal(self._margin + node.col_offset + 1, msg)


def _check_tokens(text: str) -> None:
    """Refuse by character and word what Python would read and a formula does not need, such as quotes or 0x1F."""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _refusal(at + 1, f"{text[at]!r} is not allowed here. {_HINTS.get(text[at], '')}{_ALLOWED}")
        if token["name"] in _WORDS:
            raise _refusal(at + 1, f"{token['name']} is not allowed. {_ALLOWED}")
        if token["number"] is not None and not _NUMBER.fullmatch(token["number"]):
            raise _refusal(
                at + 1, f"{token['number']} is no number. Numbers look like 2, 0.5 or 1e-3; write 2*x, not 2x"
            )
        at = token.end()
    if not text.strip():
        raise _refusal(1, "An expression is needed, such as 2*x + 1")


def _refusal(column: int, msg: str) -> ExpressionInvalid:
    return ExpressionInvalid(f"Column {column}: {msg}")
