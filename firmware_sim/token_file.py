"""The sensor tokens that this machine's simulated firmware knows, in a file only its owner may read."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Generator
from pathlib import Path
from uuid import UUID

import msgspec

FILE_NAME = "sensor-tokens.json"


class TokenFileUnreadable(Exception):
    """The file of sensor tokens cannot be used."""


class KnownToken(msgspec.Struct):
    """A sensor's token; `sensor_id` is None until the hub has answered the registration that used it."""

    token: str
    sensor_id: UUID | None = None


class _File(msgspec.Struct):
    # By project id, then by the sensor's name.
    projects: dict[str, dict[str, KnownToken]] = msgspec.field(default_factory=dict[str, dict[str, KnownToken]])


def new_token() -> str:
    """Make a token of 256 bits."""
    return "etps_" + secrets.token_urlsafe(32)


class TokenFile:
    """Tokens by project and sensor name in `folder`, mode 0600, safe to share among programs of one machine."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def known(self, project_id: UUID) -> dict[str, KnownToken]:
        """Return the tokens of a project's sensors by name; raises TokenFileUnreadable."""
        return self._read().projects.get(str(project_id), {})

    def remember(self, project_id: UUID, name: str, known: KnownToken) -> None:
        """Write down a token, on disk before this returns."""
        with self._locked():
            file = self._read()
            file.projects.setdefault(str(project_id), {})[name] = known
            draft = self.path.with_suffix(".draft")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                os.fchmod(descriptor, 0o600)
                out.write(msgspec.json.format(msgspec.json.encode(file)))
                out.flush()
                os.fsync(descriptor)
            draft.replace(self.path)

    def _read(self) -> _File:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=_File)
        except FileNotFoundError:
            return _File()
        except (OSError, msgspec.DecodeError) as wrong:
            raise TokenFileUnreadable(f"{self.path}: {wrong}; move it away to begin a new one") from wrong

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
