"""Shapes of trying profiles on raw values and on stored samples."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from hub.conversion.models import Payload, StatusName

MAX_VALUES = 10_000
MAX_POINTS = 20_000


class Preview(BaseModel):
    """What to try a profile on: raw values, or the sensor's stored samples with from ≤ t < to."""

    raw: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        default=None, min_length=1, max_length=MAX_VALUES
    )
    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = None
    max_points: int = Field(default=1000, ge=20, le=MAX_POINTS, description="How many stored samples are shown.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = (self.raw is not None, self.from_ is not None, self.to is not None)
        if given not in {(True, False, False), (False, True, True)}:
            raise ValueError("give either raw, or from and to")
        return self


class PayloadPreview(Preview):
    """A payload that is not stored, and what to try it on."""

    payload: Payload


class Previewed(BaseModel):
    """What a profile makes of raw values, each in its place; null where there is no physical value."""

    physical: list[float | None]
    status: list[StatusName]


class Difference(BaseModel):
    """How all samples of the range differ, before they were thinned to what is shown.

    `largest` and `mean` are of those with a physical value before and after, without signs.
    """

    samples: int
    changed: int = Field(description="Samples with another physical value or status.")
    largest: float | None
    mean: float | None
    status_before: dict[StatusName, int]
    status_after: dict[StatusName, int]


class PreviewedRange(BaseModel):
    """Stored samples as they stand, and as the profile would have them; t in seconds since 1970."""

    t: list[float]
    raw: list[float]
    before: Previewed
    after: Previewed
    difference: list[float | None] = Field(description="After less before; null where one has no physical value.")
    summary: Difference
    decimated: bool
