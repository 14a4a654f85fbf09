"""A table file on its way in: checked first, shown to its sender, then taken over in one go."""

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import progress
from common.models import TimestampedModel
from common.outbox import OutboxModel, OutboxQuerySet

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile

Row = TypeVar("Row", bound="FileImport")


class FileImportQuerySet(OutboxQuerySet[Row]):
    """Ways to narrow a set of imports; `claim` comes from the outbox."""

    def taken_over(self) -> Self:
        return self.filter(status=FileImport.Status.DONE)

    def same_file_as(self, file_import: "FileImport") -> Self:
        """Keep the other imports of a file with the very same bytes, of whatever owner."""
        return self.filter(digest=file_import.digest).exclude(pk=file_import.pk)


class FileImport(OutboxModel, TimestampedModel):
    """The file, what a dry run found in it, and whether it has been taken over.

    Subclasses add `file` and whatever the rows belong to. A worker claims the row like any
    other later work, so a worker that dies in the middle leaves it to the next one.
    """

    class Status(models.TextChoices):
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked, nothing changed yet")
        APPLYING = "applying", _("Being taken over")
        DONE = "done", _("Taken over")
        FAILED = "failed", _("Could not be read")

    file_name = models.CharField(_("file name"), max_length=200, editable=False)
    digest = models.CharField(_("SHA-256"), max_length=64, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.CHECKING, editable=False
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("uploaded by"),
    )
    row_count = models.PositiveIntegerField(_("rows"), default=0, editable=False)
    new_count = models.PositiveIntegerField(_("new"), default=0, editable=False)
    changed_count = models.PositiveIntegerField(_("changed"), default=0, editable=False)
    unchanged_count = models.PositiveIntegerField(_("unchanged"), default=0, editable=False)
    refused_count = models.PositiveIntegerField(_("refused"), default=0, editable=False)
    error = models.CharField(_("error"), max_length=300, blank=True, editable=False)

    if TYPE_CHECKING:
        file: FieldFile

    objects: ClassVar[FileImportQuerySet[Any]] = FileImportQuerySet.as_manager()  # type: ignore[assignment]  # stubs cannot express a generic as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_under_way(self) -> bool:
        """A worker has it, or will."""
        return self.status in {self.Status.CHECKING, self.Status.APPLYING}

    @property
    def work(self) -> str:
        """The name under which common.progress knows how far this import is."""
        return f"{self._meta.label_lower}-{self.pk}"

    @property
    def progress(self) -> progress.Progress:
        """How far the check or the taking over is; a hint from the cache."""
        return progress.of(self.work)


class ImportProblem(models.Model):
    """Why a row of the file cannot be taken over, in plain words; subclasses add `file_import`."""

    row_number = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=80, blank=True)
    value = models.CharField(_("value"), max_length=200, blank=True)
    sentence = models.CharField(_("problem"), max_length=300)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.sentence
