import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.conversion.expression import Node, parse_expression
from contract.conversion.notation import written
from tests.contract.conversion.expressions import CONSTANTS, trees


def read(text: str) -> Node:
    return parse_expression(text, CONSTANTS)


@given(trees())
def test_what_is_written_reads_back_to_the_same_tree(tree):
    assert read(written(tree)) == tree


@given(trees(), st.randoms(use_true_random=False))
def test_layout_does_not_change_the_tree(tree, random):
    tokens = re.findall(r"[\w.]+(?:(?<=\de)[+-]\d+)?|\*\*|[<>=!]=|\S", written(tree))
    text = "".join(random.choice(["", " ", "\n", " \t"]) + token + random.choice([" ", "\r\n"]) for token in tokens)
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a*x**2 + sqrt(x)", "a*x**2 + sqrt(x)"),
        (" ( ( x ) ) ", "x"),
        ("+x", "x"),
        ("x-(a-b)", "x - (a - b)"),
        ("(x-a)-b", "x - a - b"),
        ("x/(a*b)", "x/(a*b)"),
        ("x+a*b", "x + a*b"),
        ("(x+a)*b", "(x + a)*b"),
        ("-x**2", "-x**2"),
        ("(-x)**2", "(-x)**2"),
        ("x**-2", "x**-2"),
        ("(x**2)**3", "(x**2)**3"),
        ("x**(2**3)", "x**2**3"),
        ("x**(a+1)", "x**(a + 1)"),
        ("2*-x", "2*-x"),
        ("- - x", "--x"),
        ("1.50*x + 1E-3 + 2.", "1.5*x + 0.001 + 2"),
        ("1e300*x", "1e+300*x"),
        ("poly( x,1 , 2,3 )", "poly(x, 1, 2, 3)"),
        ("where(not(x<1)and(x<2 or x>3),x,-x)", "where(not x < 1 and (x < 2 or x > 3), x, -x)"),
        ("where((x<1 and x<2)and x<3,1,2)", "where(x < 1 and x < 2 and x < 3, 1, 2)"),
        ("where(x<1 and(x<2 and x<3),1,2)", "where(x < 1 and (x < 2 and x < 3), 1, 2)"),
    ],
)
def test_parentheses_stay_where_they_mean_something(text, normal):
    assert written(read(text)) == normal
