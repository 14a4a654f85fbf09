"""Calling a function of our own in PostgreSQL with as little as possible around it."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, connections

Field = str | list[str] | None


class DatabaseFunction:
    """A function that takes one record and answers one array of texts, called by the thousand.

    Its call goes round Django's cursor and hands the record over as one text: to quote, parse and
    convert values one by one costs more than a short function does (measured in bench/).
    """

    def __init__(self, name: str) -> None:
        self._call = f"SELECT {name}(%s)"

    def answer(self, *fields: Field) -> list[str] | None:
        """Call it with the record's fields in order; None when it answers NULL.

        Raises Django's database errors.
        """
        database = connections[DEFAULT_DB_ALIAS]  # each look at `connection` would find it anew
        database.ensure_connection()
        with database.wrap_database_errors, database.connection.cursor() as cursor:
            cursor.execute(self._call, (record_text(fields),))
            answer: list[str] | None = cursor.fetchone()[0]
            return answer


def record_text(fields: Sequence[Field]) -> str:
    r"""Write a record as PostgreSQL reads it (manual §8.16.2), a list as an array (§8.15.2).

    >>> print(record_text(["a, b", "7", None, "", 'say "no"', ["X1", "Y2"]]))
    ("a, b","7",,"","say \"no\"","{\"X1\",\"Y2\"}")
    """
    texts = [f"{{{_quoted(field)}}}" if isinstance(field, list) else field for field in fields]
    return f"({_quoted(texts)})"


def _quoted(texts: Sequence[str | None]) -> str:
    return ",".join(["" if text is None else f'"{_escaped(text)}"' for text in texts])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
