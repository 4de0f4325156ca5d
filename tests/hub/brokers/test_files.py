"""What stands in Mosquitto's files, and how they are replaced."""

import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from hub.brokers import files
from hub.brokers.models import Account
from hub.sensors.broker_hash import broker_hash

PROJECT, ELSEWHERE = UUID(int=1), UUID(int=2)
AGENT = Account("agent", UUID(int=10), PROJECT, hash="h-agent")
DEFAULT = Account("agent", UUID(int=11), PROJECT, default=True, hash="h-default")
FOREIGN = Account("agent", UUID(int=12), ELSEWHERE, default=True, hash="h-foreign")
MINE = Account("sensor", UUID(int=20), PROJECT, agent_id=AGENT.id, hash="h-mine")
FREE = Account("sensor", UUID(int=21), PROJECT, hash="h-free")
ASTRAY = Account("sensor", UUID(int=22), PROJECT, agent_id=FOREIGN.id, hash="h-astray")
EVERYBODY = (AGENT, DEFAULT, FOREIGN, MINE, FREE, ASTRAY)


def written(*accounts: Account, instances: int = 0) -> dict[str, list[str]]:
    return files.rights(accounts, instances)


class TestRights:
    def test_a_sensor_writes_its_own_topics_and_reads_nothing(self) -> None:
        assert written(MINE)[str(MINE.id)] == [
            f"topic write etp/v1/telemetry/{MINE.id}",
            f"topic write etp/v1/heartbeat/{MINE.id}",
        ]

    @pytest.mark.parametrize(("agent", "sensors"), [(AGENT, [MINE]), (DEFAULT, [FREE]), (FOREIGN, [])])
    def test_an_agent_reads_its_sensors_and_writes_its_status(self, agent: Account, sensors: list[Account]) -> None:
        assert written(*EVERYBODY)[str(agent.id)] == [
            f"topic write etp/v1/edge/{agent.id}/status",
            *(f"topic read etp/v1/telemetry/{sensor.id}" for sensor in sensors),
            *(f"topic read etp/v1/heartbeat/{sensor.id}" for sensor in sensors),
        ]

    def test_instances_read_the_same_and_write_their_own_status(self) -> None:
        users = written(DEFAULT, FREE, instances=2)
        assert set(users) == {str(FREE.id), str(DEFAULT.id), f"{DEFAULT.id}-1", f"{DEFAULT.id}-2"}
        assert users[f"{DEFAULT.id}-2"] == [
            f"topic write etp/v1/edge/{DEFAULT.id}/status/2",
            f"topic read etp/v1/telemetry/{FREE.id}",
            f"topic read etp/v1/heartbeat/{FREE.id}",
        ]


class TestPasswords:
    def test_each_user_with_the_hash_of_its_account(self) -> None:
        users = files.passwords([DEFAULT, FREE], lambda account: account.hash, instances=1)
        assert users == {str(DEFAULT.id): "h-default", f"{DEFAULT.id}-1": "h-default", str(FREE.id): "h-free"}
        assert files.read_passwords(files.password_file(users)) == users

    def test_who_has_no_hash_is_no_user(self) -> None:
        assert files.passwords([AGENT], lambda _: None, instances=1) == {}

    def test_hashes_are_salted(self) -> None:
        first, second = broker_hash("token"), broker_hash("token")
        assert first != second
        assert first.startswith("$7$101$")


class TestReplace:
    def test_only_what_differs_is_written(self, tmp_path: Path) -> None:
        path = tmp_path / "passwd"
        assert files.replace(path, "a")
        before = path.stat().st_ino
        assert not files.replace(path, "a")
        assert path.stat().st_ino == before
        assert files.replace(path, "b")
        assert (path.read_text(), list(tmp_path.iterdir())) == ("b", [path])

    def test_its_owner_and_the_folder_s_group_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "passwd"
        old = os.umask(0o077)
        try:
            files.replace(path, "a")
        finally:
            os.umask(old)
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o640
        assert status.st_gid == tmp_path.stat().st_gid

    def test_a_crash_leaves_the_old_file_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "passwd"
        files.replace(path, "old")
        (tmp_path / "passwd.new").write_text("hal")
        assert path.read_text() == "old"
        assert files.replace(path, "new")
        assert path.read_text() == "new"


def test_one_writes_in_a_folder_at_a_time(tmp_path: Path) -> None:
    with files.alone(tmp_path / "accounts") as first, files.alone(tmp_path / "accounts") as second:
        assert (first, second) == (True, False)
    with files.alone(tmp_path / "accounts") as again:
        assert again
