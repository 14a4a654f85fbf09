"""Promises kept as rows: later work is claimed with a lease, done outside, then marked done."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

Row = TypeVar("Row", bound="OutboxModel")


class OutboxQuerySet(models.QuerySet[Row]):
    """Rows that wait to be acted upon."""

    def waiting(self, *, at: datetime) -> Self:
        """Rows that are due and that nobody holds."""
        return self.filter(finished_at__isnull=True, due_at__lte=at).filter(
            Q(claimed_until__isnull=True) | Q(claimed_until__lte=at)
        )

    def claim(self, *, limit: int, at: datetime, lease: timedelta) -> Iterator[Row]:
        """Take up to `limit` waiting rows for `lease`, in a transaction of its own.

        A worker that dies leaves its rows to the next one when the lease ends.
        """
        with transaction.atomic():
            rows = list(
                self.waiting(at=at)
                .order_by("due_at", "pk")
                .select_for_update(
                    skip_locked=connection.features.has_select_for_update_skip_locked
                )[:limit]
            )
            self.filter(pk__in=[row.pk for row in rows]).update(
                claimed_until=at + lease, attempts=models.F("attempts") + 1
            )
        for row in rows:
            row.claimed_until = at + lease
            row.attempts += 1
        return iter(rows)


class OutboxModel(models.Model):
    """One thing that must happen later, exactly once if the far side can tell repeats."""

    due_at = models.DateTimeField(_("due at"))
    claimed_until = models.DateTimeField(_("claimed until"), null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, editable=False)

    class Meta:
        abstract = True

    def finish(self, *, at: datetime) -> None:
        """Mark the work as done; it will not be claimed again."""
        self.finished_at = at
        self.save(update_fields=["finished_at"])

    def postpone(self, *, until: datetime, error: str) -> None:
        """Give the row back, to be tried again at `until`."""
        self.due_at, self.claimed_until, self.last_error = until, None, error[:300]
        self.save(update_fields=["due_at", "claimed_until", "last_error"])
