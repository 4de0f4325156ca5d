"""The way to a viewer, whichever protocol it speaks."""

from typing import Protocol


class Wire(Protocol):
    """Each call returns once there is room for more, or raises ConnectionError or TimeoutError: the viewer is gone."""

    async def say(self, message: str) -> None:
        """Send a message, written as JSON."""
        ...

    async def show(self, frame: bytes | str, cursor: str | None) -> None:
        """Send a frame of samples; `cursor` is what stands in it."""
        ...
