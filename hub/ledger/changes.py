"""What an update changed: the fields that differ, as they were and as they are."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

MOST_BYTES: Final = 16_384


class Changes(NamedTuple):
    """The fields that differ; one that was absent before is missing in `before`."""

    before: dict[str, Any]
    after: dict[str, Any]


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes | None:
    """Compare the fields of `after` as JSON shows them; None when none of them differs.

    A value of more than 16 KiB is kept as its length and hash: it shows that it changed, and proves what it was.
    """
    old, new = _as_json(before), _as_json(after)
    names = [name for name in new if name not in old or old[name] != new[name]]
    if not names:
        return None
    return Changes(
        {name: _kept(old[name]) for name in names if name in old}, {name: _kept(new[name]) for name in names}
    )


def _as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    return orjson.loads(orjson.dumps(dict(fields)))


def _kept(value: Any) -> Any:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if len(text) <= MOST_BYTES:
        return value
    return {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
