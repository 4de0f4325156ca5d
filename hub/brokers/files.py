"""Mosquitto's password and ACL files: what stands in them, and how they are replaced."""

import contextlib
import fcntl
import os
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from contract import topics
from hub.brokers.models import Account

_HEAD = "# Written by the hub from its tokens and assignments: what is changed here is overwritten."


@contextlib.contextmanager
def alone(folder: Path) -> Generator[bool]:
    """Be the only one who writes in a folder for as long as the body runs; False while another process is."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def passwords(accounts: Iterable[Account], hash_of: Callable[[Account], str | None], instances: int) -> dict[str, str]:
    """Return users with the hashes of their passwords; an account without a hash cannot log in."""
    users: dict[str, str] = {}
    for account in accounts:
        password = hash_of(account)
        if password is not None:
            users |= dict.fromkeys(logins(account, instances), password)
    return users


def rights(accounts: Sequence[Account], instances: int) -> dict[str, list[str]]:
    """Return users with their ACL: a sensor writes its own topics, an agent reads those of its sensors."""
    sensors_of: dict[UUID, list[UUID]] = defaultdict(list)
    users: dict[str, list[str]] = {}
    for sensor, agent in taken_by(accounts):
        users[str(sensor.id)] = [
            f"topic write {topics.telemetry(sensor.id)}",
            f"topic write {topics.heartbeat(sensor.id)}",
        ]
        if agent is not None:
            sensors_of[agent.id].append(sensor.id)
    for agent in accounts:
        if agent.kind == "agent":
            mine = sensors_of[agent.id]
            # Mosquitto goes through them in order for each message: telemetry is what comes most.
            read = [f"topic read {name(sensor)}" for name in (topics.telemetry, topics.heartbeat) for sensor in mine]
            for number, login in enumerate(logins(agent, instances)):
                users[login] = [f"topic write {topics.status(agent.id, number)}", *read]
    return users


def taken_by(accounts: Iterable[Account]) -> Iterable[tuple[Account, Account | None]]:
    """Pair each sensor with the agent that takes its messages, None where nobody does."""
    accounts = list(accounts)
    agents = {account.id: account for account in accounts if account.kind == "agent"}
    default = {agent.project_id: agent for agent in agents.values() if agent.default}
    for sensor in accounts:
        if sensor.kind == "sensor":
            agent = default.get(sensor.project_id) if sensor.agent_id is None else agents.get(sensor.agent_id)
            # An assignment across projects counts for nothing.
            yield sensor, agent if agent is not None and agent.project_id == sensor.project_id else None


def password_file(users: Mapping[str, str]) -> str:
    """Write a password file."""
    return "".join(f"{line}\n" for line in (_HEAD, *(f"{user}:{password}" for user, password in users.items())))


def acl_file(users: Mapping[str, Sequence[str]]) -> str:
    """Write an ACL file."""
    blocks = [[_HEAD], *([f"user {user}", *lines] for user, lines in users.items())]
    return "\n".join("\n".join(block) + "\n" for block in blocks)


def read_passwords(text: str) -> dict[str, str]:
    """Read a password file back."""
    pairs = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {user: password for user, _, password in pairs if password}


def replace(path: Path, content: str) -> bool:
    """Replace a file at one stroke, durably, for the folder's group to read; returns whether it differed before."""
    try:
        if path.read_text(encoding="utf-8") == content:
            return False
    except FileNotFoundError:
        pass
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o640)  # whatever the process's umask takes away
        with contextlib.suppress(PermissionError):  # who may not give files away keeps them in the own group
            os.fchown(descriptor, -1, path.parent.stat().st_gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)
    return True


def logins(account: Account, instances: int) -> list[str]:
    """Name the users of an account: an agent's instances that share its load have one each."""
    return [topics.login(account.id, number) for number in range(instances + 1 if account.kind == "agent" else 1)]
