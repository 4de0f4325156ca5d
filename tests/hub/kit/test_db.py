"""The pool: the role that its connections assume."""

import pytest

from hub.kit.db import Database
from hub.kit.problems import DatabaseAway


async def test_a_database_that_is_not_prepared_is_away(database_url: str) -> None:
    database = Database(database_url, role="nobody_made_this_role")
    with pytest.raises(DatabaseAway):
        async with database.connection():
            pass
    await database.close()
