"""Start and the clocks of the sensors that it records."""

import pytest

from hub.kit.db import Tx
from tests.hub.callers import Caller
from tests.hub.conftest import Make


class TestClocks:
    """Start warns of sensors whose clocks are more than a second off, not of those that come out of a buffer."""

    @pytest.mark.parametrize(
        ("delay_us", "heard_s", "warned"),
        [(-1_500_000, 1, [1.5]), (2_250_000, 1, [-2.25]), (999_999, 1, []), (-1_500_000, 51, [])],
    )
    async def test_warning(
        self,
        editor: Caller,
        run: Make,
        sensor: Make,
        db: Tx,
        delay_us: int,
        heard_s: int,
        warned: list[float],
    ) -> None:
        made = await sensor()
        await db.execute(
            """
            insert into sensor_ledger (sensor_no, last_received_at, delay_us, clock_low)
            select no, (extract(epoch from clock_timestamp() - make_interval(secs => $2)) * 1000000)::bigint,
              7200000000, $1
            from sensor
            """,
            delay_us,
            heard_s,
        )
        of = f"/runs/{(await run(made))['id']}/captures"
        begun = (await editor.post(of)).ok
        assert [(one["sensor_id"], one["offset_s"]) for one in begun["warnings"]] == [(made["id"], s) for s in warned]
        draft = (await editor.post(of, {"start": False})).ok
        assert draft["warnings"] == []
        begun = (await editor.post(f"/captures/{draft['id']}/start")).ok
        assert [one["offset_s"] for one in begun["warnings"]] == warned
