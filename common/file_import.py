"""A table file on its way in: checked first, shown to its sender, then taken over in one go."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import TimestampedModel
from common.outbox import OutboxModel


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

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name


class ImportProblem(models.Model):
    """Why one row of the file cannot be taken over, in plain words. Subclasses add `file_import`."""

    row_number = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=80, blank=True)
    value = models.CharField(_("value"), max_length=200, blank=True)
    sentence = models.CharField(_("problem"), max_length=300)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.sentence
