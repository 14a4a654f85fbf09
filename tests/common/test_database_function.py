"""Functions of our own in PostgreSQL: what goes in as one record comes out as it was."""

import pytest
from django.db import DataError, connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.database_function import DatabaseFunction, record_text

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "__import__('django.db').db.connection.vendor != 'postgresql'",
        reason="SQLite has no functions of ours",
    ),
]
# What PostgreSQL's text holds: anything but NUL and halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture
def echo(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TYPE pg_temp.echoed AS (word text, number bigint, words text[]);"
            "CREATE FUNCTION pg_temp.echo(it pg_temp.echoed) RETURNS text[] LANGUAGE sql AS"
            " $$ SELECT ARRAY[it.word, it.number::text] || it.words $$"
        )
    return DatabaseFunction("pg_temp.echo")


def test_every_text_arrives_and_comes_back_as_it_was(echo):
    @given(TEXTS | st.none(), st.integers(-(2**63), 2**63 - 1).map(str), st.lists(TEXTS))
    @example('","', "7", ['"', "\\", "{}", ",", "", " ", "NULL"])
    @example(") ; DROP TABLE x --", "0", ["'"])
    @settings(deadline=None)
    def comes_back(word, number, words):
        assert echo.answer(word, number, words) == [word, number, *words]

    comes_back()


def test_no_answer_is_none():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.nothing(it pg_catalog.text) RETURNS text[] LANGUAGE sql AS"
            " $$ SELECT NULL::text[] $$"
        )

    assert DatabaseFunction("pg_temp.nothing").answer("x") is None


def test_a_field_that_does_not_fit_is_djangos_error(echo):
    with pytest.raises(DataError):
        echo.answer("x", "seven", [])


def test_a_value_cannot_become_two_fields():
    assert record_text(['a","b', None, ""]) == r'("a\",\"b",,"")'
