import multiprocessing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from firmware_sim.token_file import KnownToken, TokenFile, TokenFileUnreadable, new_token


def remember_many(folder: Path, project: UUID, first: int) -> None:
    for i in range(first, first + 20):
        TokenFile(folder).remember(project, f"s{i}", KnownToken(f"t{i}"))


def test_tokens_come_back_by_project_and_name(tmp_path):
    mine, other, sensor = uuid4(), uuid4(), uuid4()
    file = TokenFile(tmp_path / "data")
    assert file.known(mine) == {}
    file.remember(mine, "Flow, main line", KnownToken("a", sensor))
    file.remember(other, "Flow, main line", KnownToken("b"))
    assert TokenFile(tmp_path / "data").known(mine) == {"Flow, main line": KnownToken("a", sensor)}
    assert file.known(other)["Flow, main line"].token == "b"


def test_only_the_owner_may_read_it(tmp_path):
    file = TokenFile(tmp_path)
    file.remember(uuid4(), "s", KnownToken("a"))
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.path.chmod(0o644)
    file.remember(uuid4(), "s", KnownToken("a"))
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_two_programs_lose_nothing_of_each_other(tmp_path):
    project = uuid4()
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=remember_many, args=(tmp_path, project, first)) for first in (0, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert set(TokenFile(tmp_path).known(project)) == {f"s{i}" for i in range(40)}


def test_a_broken_file_says_what_to_do(tmp_path):
    file = TokenFile(tmp_path)
    file.path.write_text("{")
    with pytest.raises(TokenFileUnreadable, match="move it away"):
        file.known(uuid4())


def test_tokens_differ():
    assert len({new_token() for _ in range(100)}) == 100
