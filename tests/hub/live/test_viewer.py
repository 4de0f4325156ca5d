"""What waits for a viewer: bounded, and what was left out is told."""

from uuid import uuid4

import numpy as np
import orjson

from hub.live.viewer import MAX_TOLD, MAX_WAITING, Piece, Viewer


def piece(count: int) -> Piece:
    t = np.arange(count, dtype=np.int64)
    return Piece(t, t.astype(float), t.astype(float), np.zeros(count, np.uint8), 1.0)


class TestSamples:
    def test_they_are_bounded_and_what_was_merged_is_told(self) -> None:
        viewer = Viewer()
        viewer.sensors = {1: (uuid4(), True)}
        for _ in range(2):
            viewer.offer(1, piece(MAX_WAITING))
        message = orjson.loads(viewer.take("c") or b"")
        shown = len(message["series"][0]["t"])
        assert message["merged"] + shown == 2 * MAX_WAITING
        assert message["series"][0]["t"][-1] == (MAX_WAITING - 1) / 1e6

    def test_many_sensors_keep_fewer_each(self) -> None:
        viewer = Viewer()
        viewer.sensors = {no: (uuid4(), True) for no in range(2000)}
        for _ in range(3):
            for no in viewer.sensors:
                viewer.offer(no, piece(40))
        message = orjson.loads(viewer.take("c") or b"")
        shown = sum(len(series["t"]) for series in message["series"])
        assert shown <= MAX_WAITING
        assert len(message["series"]) == 2000
        assert message["merged"] + shown == 3 * 2000 * 40

    def test_nothing_is_shown_while_something_earlier_is_sent(self) -> None:
        viewer = Viewer()
        viewer.sensors = {1: (uuid4(), True)}
        viewer.holding = True
        viewer.offer(1, piece(1))
        assert viewer.take("c") is None
        assert not viewer.wake.is_set()
        viewer.release()
        assert viewer.wake.is_set()
        assert viewer.take("c") is not None


class TestMessages:
    def test_the_oldest_are_dropped_and_counted(self) -> None:
        viewer = Viewer()
        for no in range(MAX_TOLD + 3):
            viewer.tell(str(no))
        told = viewer.take_told()
        assert orjson.loads(told[0]) == {"op": "missed", "events": 3}
        assert told[1:] == [str(no) for no in range(3, MAX_TOLD + 3)]
        assert viewer.take_told() == []
