"""The data keys, unwrapped: which one seals, and which one opens a sealed text.

A sealed text is `etp`, the format's version, the id of its data key, a nonce, and the AES-256-GCM text with its tag;
header and `about` are authenticated with it. Texts from before data keys have no header.
"""

import contextlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.kit.crypto import Keys, decrypt, encrypt

FORMAT: Final = b"etp\x01"
HEADER: Final = struct.Struct(">4sI")


class Purpose(StrEnum):
    """What a data key is for; there is one of each, but of those that seal as many as were made."""

    SIGN = "sign"
    LOOKUP = "lookup"
    HEADLESS = "headless"
    SEAL = "seal"


@dataclass(frozen=True, repr=False)
class DataKey:
    """An unwrapped data key."""

    id: int
    purpose: Purpose
    key: bytes


@dataclass(frozen=True, repr=False)
class KeyRing:
    """All data keys of a database: the newest seals, every one opens what it sealed."""

    keys: Keys
    headless: AESGCM
    sealing: Mapping[int, AESGCM]

    @classmethod
    def of(cls, data_keys: Sequence[DataKey]) -> "KeyRing":
        """Put the keys in their places."""
        one = {data_key.purpose: data_key.key for data_key in data_keys}
        return cls(
            keys=Keys(sign=one[Purpose.SIGN], lookup=one[Purpose.LOOKUP]),
            headless=AESGCM(one[Purpose.HEADLESS]),
            sealing={each.id: AESGCM(each.key) for each in data_keys if each.purpose is Purpose.SEAL},
        )

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypt with the newest key."""
        newest = max(self.sealing)
        header = HEADER.pack(FORMAT, newest)
        return header + encrypt(self.sealing[newest], plain, header + about)

    def unseal(self, sealed: bytes, about: bytes) -> bytes:
        """Decrypt; raises InvalidTag when nothing here opens the text, or it is about something else."""
        key = self.sealing.get(key_id_of(sealed) or 0)
        if key is not None:
            # A text without a header begins with a nonce, which may look like one: the tag tells for certain.
            with contextlib.suppress(InvalidTag):
                return decrypt(key, sealed[HEADER.size :], sealed[: HEADER.size] + about)
        return decrypt(self.headless, sealed, about)


def key_id_of(sealed: bytes) -> int | None:
    """Return the id of the data key that a sealed text names, None where it begins with no header."""
    if len(sealed) < HEADER.size or not sealed.startswith(FORMAT):
        return None
    return HEADER.unpack_from(sealed)[1]
