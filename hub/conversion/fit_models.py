"""Shapes of fitting profiles to reference pairs."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from contract.conversion.fit import Course
from contract.conversion.profile import Extrapolation
from hub.conversion.models import Payload

MAX_PAIRS = 10_000

Finite = Annotated[float, Field(allow_inf_nan=False)]


class FitRequest(BaseModel):
    """Reference pairs: what the sensor read beside what was truly there."""

    kind: Literal["linear", "table"]
    pairs: list[tuple[Finite, Finite]] = Field(min_length=2, max_length=MAX_PAIRS)
    extrapolation: Extrapolation = Field(default="clamp", description="What a table does beyond its ends.")


class Fitted(BaseModel):
    """The profile nearest to the pairs; `residuals` are the pairs' physical values less the profile's, pair by pair."""

    payload: Payload
    residuals: list[float]
    rms: float = Field(description="Root of the residuals' mean square.")
    largest: float = Field(description="The largest residual, without its sign.")
    r_squared: float | None = Field(
        default=None, description="Of a line: the share of the variance that it explains, null where nothing varies."
    )
    course: Course | None = Field(default=None, description="Of a table: whether physical rises or falls with raw.")
