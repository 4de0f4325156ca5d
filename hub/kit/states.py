"""State machines, declared as tables."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)


class Machine(Generic[State]):
    """Which state may follow which; states that lead nowhere are final."""

    def __init__(self, moves: Mapping[State, frozenset[State]]) -> None:
        """Take the moves; every state that is named must be a key."""
        unknown = {target for targets in moves.values() for target in targets} - set(moves)
        if unknown:
            raise ValueError(f"states without a row of their own: {sorted(unknown)}")
        self.moves = moves

    def allows(self, current: State, target: State) -> bool:
        """Tell whether `target` may follow `current`."""
        return target in self.moves[current]

    def sources(self, target: State) -> list[State]:
        """List the states from which `target` can be reached in one move."""
        return [state for state, targets in self.moves.items() if target in targets]
