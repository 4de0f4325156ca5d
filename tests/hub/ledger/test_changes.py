"""What an update changed."""

from uuid import UUID

import orjson

from hub.ledger.changes import MOST_BYTES, changed

ID = UUID(int=1)


class TestChanged:
    def test_only_what_differs(self) -> None:
        found = changed({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3})
        assert found == ({"b": 2}, {"b": 3})

    def test_nothing(self) -> None:
        assert changed({"a": 1}, {"a": 1}) is None
        assert changed({"a": 1}, {}) is None

    def test_what_was_not_there(self) -> None:
        assert changed({}, {"a": None}) == ({}, {"a": None})

    def test_to_nothing(self) -> None:
        assert changed({"a": 1}, {"a": None}) == ({"a": 1}, {"a": None})

    def test_compares_what_json_shows(self) -> None:
        assert changed({"id": ID}, {"id": str(ID)}) is None
        assert changed({"id": ID}, {"id": None}) == ({"id": str(ID)}, {"id": None})

    def test_long_values_are_kept_as_their_hashes(self) -> None:
        longest = "x" * (MOST_BYTES - 2)
        found = changed({"notes": longest}, {"notes": longest + "x"})
        assert found is not None
        assert found.before == {"notes": longest}
        assert found.after["notes"].keys() == {"bytes", "sha256"}
        assert len(orjson.dumps(found.after)) < 200
