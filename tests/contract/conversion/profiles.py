"""Random profiles of every kind, raw values of every kind."""

import numpy as np
from hypothesis import strategies as st

from contract.conversion.expression import ExpressionInvalid
from contract.conversion.notation import written
from contract.conversion.profile import Custom, Linear, Table
from tests.contract.conversion.expressions import CONSTANTS, trees

finite = st.floats(allow_nan=False, allow_infinity=False)
modest = st.floats(-1e6, 1e6)
ranges = st.none() | st.tuples(modest, modest).map(lambda pair: (min(pair), max(pair)))
linears = st.builds(Linear, finite, finite, ranges)
tables = st.builds(
    Table,
    st.lists(
        st.tuples(st.integers(-10_000, 10_000).map(float), modest), min_size=2, max_size=40, unique_by=lambda p: p[0]
    )
    .map(sorted)
    .map(tuple),
    st.sampled_from(["clamp", "linear", "reject"]),
    ranges,
)


def compiles(profile):
    try:
        return profile.program is not None
    except ExpressionInvalid:  # a part without x is not finite
        return False


customs = st.builds(Custom, trees().map(written), st.just(CONSTANTS), ranges).filter(compiles)
profiles = linears | tables | customs
raws = st.lists(st.floats() | modest, min_size=1, max_size=100).map(lambda v: np.array(v, dtype=np.float64))
