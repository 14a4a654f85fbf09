"""Functions of our own in PostgreSQL: prepared once per session, or not at all."""

import pytest
from django.db import connection

from common.database_function import DatabaseFunction

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "__import__('django.db').db.connection.vendor != 'postgresql'",
        reason="SQLite has no functions of ours",
    ),
]


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return [name for (name,) in cursor.fetchall()]


def test_a_call_is_prepared_by_the_first_and_used_by_the_next():
    doubled = DatabaseFunction("repeat", "text", "integer")

    rows = [doubled.row("ab", 2), doubled.row("c", 3)]

    assert rows == [("abab",), ("ccc",)]
    assert prepared().count("repeat") == 1


def test_behind_a_pooler_nothing_is_prepared(settings):
    settings.PREPARED_STATEMENTS = False

    row = DatabaseFunction("lpad", "text", "integer", "text").row("7", 3, "0")

    assert row == ("007",)
    assert "lpad" not in prepared()
