"""Runs programs that refuse to be root for a user who is root."""

import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.process import ServerFailed

_SYSTEM_USER = "etp-postgres"


def as_other_user() -> list[str]:
    """Return the command to put before a program that refuses to run as root, or as a user without a name.

    In a user namespace it is `daemon`, say, while its files stay ours, whoever may enter the folders above them.
    """
    return [] if os.geteuid() != 0 and _has_name(os.geteuid()) else user_namespace()


@functools.cache
def user_namespace() -> list[str]:
    """Return the command that runs a program as a named user in a namespace of its own, [] if none can."""
    unshare = shutil.which("unshare")
    named = next((user for user in pwd.getpwall() if user.pw_uid != 0), None)
    if sys.platform != "linux" or unshare is None or named is None:
        return []
    command = [unshare, "--user", f"--map-user={named.pw_uid}", f"--map-group={named.pw_gid}"]
    works = subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0  # noqa: S603 - fixed
    return command if works else []


def _has_name(uid: int) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwuid(uid))
    return False


def system_user(needed: Sequence[Path]) -> str | None:
    """Return the user to switch to where no user namespace can be had, creating it; None where no switch is needed.

    The first of the paths that it needs becomes its own. Raises `ServerFailed` when it cannot reach them.
    """
    if os.geteuid() != 0 or as_other_user():
        return None
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        create = ["useradd", "--system", "--user-group", "--no-create-home", "--shell=/usr/sbin/nologin"]
        subprocess.run([*create, _SYSTEM_USER], check=True)  # noqa: S603 - fixed arguments
    for path in (needed[0], *needed[0].rglob("*")):
        shutil.chown(path, _SYSTEM_USER, _SYSTEM_USER)
    for path in needed:
        if not _reaches(_SYSTEM_USER, path):
            raise ServerFailed(
                f"PostgreSQL refuses to run as root, user {_SYSTEM_USER} may not enter {path}, and this system allows "
                "no user namespaces: run as an ordinary user, or put the checkout and ETP_DATA_DIR below a folder that "
                "everybody may enter, such as /srv/etp."
            )
    return _SYSTEM_USER


def _reaches(user: str, path: Path) -> bool:
    command = ["test", "-x", str(path)]
    return subprocess.run(command, user=user, group=user, cwd="/", check=False).returncode == 0  # noqa: S603 - fixed
