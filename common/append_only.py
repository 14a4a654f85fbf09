"""Tables that only grow: a mistake is corrected by another row, never by changing one."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Code tried to change or delete a row that must stand for ever."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that can be read and added to, nothing else."""

    def update(self, **values: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.label} is append-only")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.label} is append-only")


class AppendOnlyModel(models.Model):
    """A row that is written once; subclasses give it an AppendOnlyQuerySet as `objects`.

    PostgreSQL refuses changes too, by triggers in migrations.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; refuse to write over a row that is already there."""
        if not self._state.adding:
            raise AppendOnlyError(f"{self._meta.label} is append-only")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self._meta.label} is append-only")
