"""State machines as tables."""

from enum import StrEnum

import pytest

from hub.captures.models import MACHINE as CAPTURES
from hub.experiments.models import MACHINE as EXPERIMENTS
from hub.kit.states import Machine
from hub.runs.models import MACHINE as RUNS


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    OFF = "off"


class TestMachine:
    def test_moves(self) -> None:
        machine = Machine(
            {
                Light.RED: frozenset({Light.GREEN, Light.OFF}),
                Light.GREEN: frozenset({Light.OFF}),
                Light.OFF: frozenset(),
            }
        )
        assert machine.allows(Light.RED, Light.GREEN)
        assert not machine.allows(Light.GREEN, Light.RED)
        assert not machine.allows(Light.OFF, Light.OFF)
        assert machine.sources(Light.OFF) == [Light.RED, Light.GREEN]
        assert machine.sources(Light.RED) == []

    def test_forgotten_state(self) -> None:
        with pytest.raises(ValueError, match="green"):
            Machine({Light.RED: frozenset({Light.GREEN})})

    @pytest.mark.parametrize("machine", [EXPERIMENTS, RUNS, CAPTURES])
    def test_declared_machines(self, machine: Machine[StrEnum]) -> None:
        states = type(next(iter(machine.moves)))
        assert set(machine.moves) == set(states), "every state has its row"
        reached = {states("draft")}
        while more := {target for state in reached for target in machine.moves[state]} - reached:
            reached |= more
        assert reached == set(states), "every state can be reached from draft"
        assert not any(machine.allows(state, state) for state in states)
