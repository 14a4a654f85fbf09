"""Printed slips: a PDF for a village or a biller, made in the background."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.models import TimestampedModel
from common.outbox import OutboxModel
from payments.models.bills import Biller


class SlipRun(OutboxModel, TimestampedModel):
    """One order of slips: what is to be printed, how far it is, and the file."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        PRINTING = "printing", _("Being made")
        DONE = "done", _("Ready to print")
        FAILED = "failed", _("Failed")

    village = models.ForeignKey(
        "addresses.Village",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("village"),
    )
    biller = models.ForeignKey(
        Biller,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("biller"),
    )
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("ordered by"),
    )
    slips_per_page = models.PositiveSmallIntegerField(
        _("slips a page"), default=4, choices=((3, "3"), (4, "4"))
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.WAITING, editable=False
    )
    slip_count = models.PositiveIntegerField(_("slips"), default=0, editable=False)
    file = models.FileField(_("file"), upload_to="slips/", blank=True, editable=False)

    class Meta:
        verbose_name = _("slip run")
        verbose_name_plural = _("slip runs")

    def __str__(self) -> str:
        return f"{self.created_at:%d/%m/%Y}: {self.slip_count}"
