"""The benchmarks' own arithmetic: what is sent, how it is judged, and what is written."""

from uuid import uuid4

import asyncpg
import msgspec
import orjson
import pytest

from bench import __main__ as program
from bench import figures, http_load
from bench.ceiling import RowCopy
from bench.figures import Figure
from bench.http import Connection, post


class TestFigures:
    def test_a_ratio_is_taken_round_by_round(self) -> None:
        values, ceilings = [100.0, 400.0, 90.0], [100.0, 200.0, 100.0]
        figure = figures.of_ratios("x", values, ceilings, unit="u", against="peer", floor=1.0)
        assert (figure.value, figure.ratio, figure.against, figure.held) == (100.0, 1.0, "peer", True)
        assert figure.spread == 1.1

    @pytest.mark.parametrize(("floor", "held"), [(0.5, True), (0.51, False), (None, True)])
    def test_the_floor_of_a_ratio(self, floor: float | None, held: bool) -> None:
        assert figures.of_ratios("x", [1.0], [2.0], unit="u", against="peer", floor=floor).held is held

    @pytest.mark.parametrize(("limit", "held"), [(0.5, True), (0.49, False)])
    def test_the_limit_of_a_ratio(self, limit: float, held: bool) -> None:
        figure = figures.of_ratios("x", [1.0], [2.0], unit="u", against="peer", floor=limit, better="lower")
        assert (figure.held, figure.better) == (held, "lower")

    @pytest.mark.parametrize(("limit", "held"), [(10.0, False), (10.1, True), (None, True)])
    def test_the_limit_of_a_value(self, limit: float | None, held: bool) -> None:
        figure = figures.of_values("x", [30.0, 10.0, 5.0], unit="ms", limit=limit)
        assert (figure.value, figure.ratio, figure.better, figure.held) == (10.0, None, "lower", held)
        assert figure.spread == 2.5

    @pytest.mark.parametrize(("floor", "held"), [(10.0, True), (10.1, False)])
    def test_the_floor_of_a_value(self, floor: float, held: bool) -> None:
        figure = figures.of_values("x", [30.0, 10.0, 5.0], unit="samples/s", limit=floor, better="higher")
        assert (figure.floor, figure.better, figure.held) == (floor, "higher", held)

    def test_json_and_table_say_everything(self, tmp_path) -> None:
        found = [
            figures.of_ratios("fast", [123456.0], [100000.0], unit="samples/s", against="COPY", floor=1.5),
            figures.failed("broken", "ms", 150.0, "lower"),
        ]
        figures.write(found, tmp_path / "var" / "bench.json")
        written = orjson.loads((tmp_path / "var" / "bench.json").read_bytes())
        assert written[0] == {
            "name": "fast",
            "value": 123500.0,
            "unit": "samples/s",
            "ratio": 1.235,
            "against": "COPY",
            "floor": 1.5,
            "better": "higher",
            "held": False,
            "spread": 0.0,
        }
        assert (written[1]["value"], written[1]["held"], written[1]["ratio"]) == (None, False, None)
        lines = figures.table(found).splitlines()
        assert len(lines) == 4
        assert lines[2].split() == ["fast", "123,500", "samples/s", "1.24", "COPY", "≥", "1.5", "0%", "NO"]
        assert lines[3].split() == ["broken", "failed", "ms", "<", "150", "NO"]


class TestProgram:
    def test_one_that_fails_costs_no_other(self, tmp_path, monkeypatch, capsys) -> None:
        good = figures.of_values("good", [1.0], unit="ms", limit=2.0)

        async def run(_say: program.Say) -> Figure:
            return good

        async def fail(_say: program.Say) -> Figure:
            raise RuntimeError("no samples came")

        monkeypatch.setattr(program, "_prepare_machine", lambda: None)
        monkeypatch.setattr(program, "ROOT", tmp_path)
        monkeypatch.setattr(program, "RESULT", tmp_path / "var" / "bench.json")
        monkeypatch.setattr(
            program,
            "BENCHMARKS",
            (
                program.Benchmark("bad", fail, "ms", 3.0, "lower"),
                program.Benchmark("good", run, "ms", 2.0, "lower"),
            ),
        )
        assert program.main([]) == 1
        written = msgspec.json.decode(program.RESULT.read_bytes(), type=list[Figure])
        assert [(figure.name, figure.held) for figure in written] == [("bad", False), ("good", True)]
        assert "no samples came" in capsys.readouterr().err
        assert program.main(["good"]) == 0
        assert [figure.name for figure in msgspec.json.decode(program.RESULT.read_bytes(), type=list[Figure])] == [
            "good"
        ]

    def test_an_unknown_name_is_answered_with_those_there_are(self, capsys) -> None:
        assert program.main(["nothing"]) == 2
        assert "nothing; there are: ingest-100, " in capsys.readouterr().err


class TestLoad:
    @pytest.mark.parametrize("form", ["columns", "rows", "edge"])
    @pytest.mark.parametrize("samples", [10, 100, 1000])
    def test_every_sample_of_a_sensor_has_a_time_of_its_own(self, form, samples: int) -> None:
        plan = http_load.Plan(
            port=1,
            token="t",
            sensors=[uuid4() for _ in range(12)],
            form=form,
            samples_per_body=samples,
            bodies=20,
            connections=3,
            message=25,
            first_t_us=1_700_000_000_000_000,
            step_us=1000,
        )
        requests = [request for connection in range(3) for request in http_load.requests_of(plan, connection)]
        assert len(requests) == plan.bodies
        seen: set[tuple[str, int]] = set()
        for request in requests:
            head, _, body = request.partition(b"\r\n\r\n")
            assert f"Content-Length: {len(body)}".encode() in head
            document = orjson.loads(body)
            series = document.get("series") or [document | {"t": [s["t"] for s in document["samples"]]}]
            points = [(one["sensor_id"], round(t * 1e6)) for one in series for t in one["t"]]
            assert len(points) == samples
            seen.update(points)
        assert len(seen) == plan.bodies * samples

    async def test_an_answer_is_read_however_it_is_cut(self) -> None:
        connection = Connection()
        sent: list[bytes] = []

        class Wire:
            def write(self, data: bytes) -> None:
                sent.append(data)
                answer = b'HTTP/1.1 202 Accepted\r\nContent-Length: 14\r\nX: y\r\n\r\n{"accepted":7}'
                for at in range(0, len(answer), 11):
                    connection.data_received(answer[at : at + 11])

        connection.connection_made(Wire())  # type: ignore[arg-type]
        request = post("/telemetry", "127.0.0.1", 80, "secret", b"{}")
        assert await connection.send(request) == (202, b'{"accepted":7}')
        assert sent == [request]
        connection.connection_lost(None)
        with pytest.raises(ConnectionError):
            await connection.send(request)


async def test_the_ceiling_stores_every_row_and_leaves_none(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        ceiling = RowCopy(connection, samples=1000, sensors=7, message=5)
        await ceiling.prepare()
        assert await ceiling.samples_per_s() > 0
        assert await ceiling.samples_per_s() > 0
        assert await connection.fetchval("select count(*) from bench_rows") == 0
        await connection.execute("drop table bench_rows")
    finally:
        await connection.close()
