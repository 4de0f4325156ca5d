"""Random expressions over x and the constants a and b, within the limits of the reader."""

from hypothesis import strategies as st

from contract.conversion.expression import Apply, Name, Node, Number
from contract.conversion.functions import FUNCTIONS

CONSTANTS = {"a": 0.1, "b": -2.5}

COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]
CONDITIONS = [*COMPARISONS, "and", "or", "not"]
OPERATORS = ["+", "-", "*", "/", "**", "neg", "multiplied"]
LEAVES = st.sampled_from(["x", "x", "x", "a", "b", "pi", "e"]).map(Name)

any_number = st.floats(min_value=0, allow_nan=False, allow_infinity=False) | st.integers(0, 20).map(float)
small_number = st.integers(0, 20).map(float) | st.integers(1, 4000).map(lambda n: n / 1000)


@st.composite
def trees(draw: st.DrawFn, numbers: st.SearchStrategy[float] = any_number, *, size: int = 20) -> Node:
    """Draw trees that a text can give: numbers are not negative, only `where` holds conditions."""

    def number(size: int) -> Node:
        if size < 2:
            return draw(LEAVES | numbers.map(Number))
        symbol = draw(st.sampled_from(OPERATORS) | st.sampled_from(sorted(FUNCTIONS)))
        match symbol:
            case "where":
                part = (size - 1) // 3
                return Apply(symbol, (condition(part), number(part), number(part)))
            case "neg":
                return Apply(symbol, (number(size - 1),))
            case "multiplied":
                return Apply("**", (number(size - 2), Number(float(draw(st.integers(0, 18))))))
            case "+" | "-" | "*" | "/" | "**":
                return Apply(symbol, (number((size - 1) // 2), number((size - 1) // 2)))
            case _:
                function = FUNCTIONS[symbol]
                count = draw(st.integers(function.fewest, function.most or function.fewest + 2))
                return Apply(symbol, tuple(number((size - 1) // count) for _ in range(count)))

    def condition(size: int) -> Node:
        symbol = draw(st.sampled_from(CONDITIONS if size > 3 else COMPARISONS))
        part = condition if symbol not in COMPARISONS else number
        if symbol == "not":
            return Apply(symbol, (part(size - 1),))
        return Apply(symbol, (part((size - 1) // 2), part((size - 1) // 2)))

    return number(draw(st.integers(1, size)))
