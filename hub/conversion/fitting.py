"""Fits profiles to reference pairs."""

from uuid import UUID

import msgspec
import numpy as np

from contract.conversion.fit import LinearFit, PairsInvalid, TableFit, fit_linear, fit_table
from hub.conversion.fit_models import FitRequest, Fitted
from hub.kit.context import Context
from hub.kit.problems import FieldError, InvalidPayload
from hub.ledger.service import Fact, record


async def fit(ctx: Context, sensor_id: UUID, body: FitRequest) -> Fitted:
    """Fit a line or a table; raises InvalidPayload for pairs that give none, naming the pair where one is at fault."""
    try:
        found = fit_linear(body.pairs) if body.kind == "linear" else fit_table(body.pairs, body.extrapolation)
    except PairsInvalid as error:
        raise InvalidPayload(errors=[FieldError(loc=["body", "pairs", *error.loc], msg=error.msg)]) from error
    details = {"kind": body.kind, "pairs": len(body.pairs)}
    await record(ctx, Fact("profile.fitted", subject_id=sensor_id, details=details))
    return Fitted(
        payload=msgspec.to_builtins(found.profile),
        residuals=found.residuals.tolist(),
        rms=_rms(found),
        largest=found.largest_residual,
        r_squared=found.r_squared if isinstance(found, LinearFit) else None,
        course=found.course if isinstance(found, TableFit) else None,
    )


def _rms(found: LinearFit | TableFit) -> float:
    if found.largest_residual == 0.0:
        return 0.0
    # Measured by the largest, so that no square overflows or vanishes.
    return float(found.largest_residual * np.sqrt(np.mean((found.residuals / found.largest_residual) ** 2)))
