"""The normal form of an expression: the one text of a tree, which reads back to the same tree."""

from typing import Final

from contract.conversion.expression import Apply, Name, Node, Number

# How tightly each binds, as in Python; a name, a number or a call binds tightest.
_BINDING: Final = {
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "neg": 7,
    "**": 8,
}
_TIGHTEST: Final = 9
_CLOSE: Final = frozenset({"*", "/", "**"})
_PREFIXES: Final = {"neg": "-", "not": "not "}


def written(node: Node) -> str:
    """Write an expression, with no more parentheses than it needs."""
    return _written(node, 0)


def _written(node: Node, outer: int) -> str:
    match node:
        case Number(value):
            return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)
        case Name(name):
            return name
        case Apply(symbol, arguments):
            binding = _BINDING.get(symbol)
            if binding is None:
                return f"{symbol}({', '.join(_written(argument, 0) for argument in arguments)})"
            text = _operation(symbol, arguments, binding)
            return f"({text})" if binding < outer else text


def _operation(symbol: str, arguments: tuple[Node, ...], binding: int) -> str:
    if symbol in _PREFIXES:
        return _PREFIXES[symbol] + _written(arguments[0], binding)
    left, right = arguments
    if symbol == "**":  # the one that binds from the right: x**y**z is x**(y**z), and x**-y needs no parentheses
        return f"{_written(left, _TIGHTEST)}**{_written(right, _BINDING['neg'])}"
    # A comparison takes no other one as an operand; the reader makes none.
    between = symbol if symbol in _CLOSE else f" {symbol} "
    return f"{_written(left, binding)}{between}{_written(right, binding + 1)}"
