"""Calling a function of our own in PostgreSQL with as little as possible around it."""

from typing import Any
from weakref import WeakSet

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections


class DatabaseFunction:
    """A function that answers with one row at most, for calls that come by the thousand.

    Its call is prepared once per database session, and goes round Django's cursor: parsing,
    planning and wrapping cost more than a short function does (measured in bench/). Without
    settings.PREPARED_STATEMENTS each call is a plain SELECT, as poolers need that hand one
    session to many clients between transactions.
    """

    def __init__(self, name: str, *types: str) -> None:
        places = ", ".join(f"${number}" for number in range(1, len(types) + 1))
        values = ", ".join(["%s"] * len(types))
        typed = ", ".join(f"%s::{kind}" for kind in types)
        self._prepare = f"PREPARE {name} ({', '.join(types)}) AS SELECT * FROM {name}({places})"  # noqa: S608  # our own names
        self._execute = f"EXECUTE {name}({values})"
        self._select = f"SELECT * FROM {name}({typed})"  # noqa: S608  # our own names
        self._prepared_in: WeakSet[Any] = WeakSet()

    def row(self, *values: object) -> tuple[Any, ...] | None:
        """Call it; None when it answers no row. Raises Django's database errors."""
        database = connections[DEFAULT_DB_ALIAS]  # each look at `connection` would find it anew
        database.ensure_connection()
        session = database.connection
        with database.wrap_database_errors, session.cursor() as cursor:
            if session in self._prepared_in:
                cursor.execute(self._execute, values)
            elif settings.PREPARED_STATEMENTS:
                cursor.execute(self._prepare)
                self._prepared_in.add(session)
                cursor.execute(self._execute, values)
            else:
                cursor.execute(self._select, values)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
