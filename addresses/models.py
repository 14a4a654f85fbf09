"""Communes and villages as dated facts: units merge, codes pass on, names stay with their time."""

from datetime import date
from typing import Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import DatedModel, TimestampedModel

Unit = TypeVar("Unit", bound=DatedModel)


class DatedQuerySet(models.QuerySet[Unit]):
    """Ways to narrow administrative units by time."""

    def valid_on(self, day: date) -> Self:
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=day),
            Q(valid_to__isnull=True) | Q(valid_to__gte=day),
        )


class Commune(DatedModel, TimestampedModel):
    """A commune-level unit. Its statistical code is only unique within its time.

    On 1 July 2025 code 16072 passed from Phú Lộc to the six-fold larger Hoa Lộc.
    """

    code = models.CharField(_("statistical code"), max_length=10)
    name = models.CharField(_("name"), max_length=80)
    district = models.CharField(_("district"), max_length=80, blank=True)
    province = models.CharField(_("province"), max_length=80)
    successor = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="predecessors",
        verbose_name=_("successor"),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta(DatedModel.Meta):
        verbose_name = _("commune")
        verbose_name_plural = _("communes")
        constraints = (  # type: ignore[assignment]  # one more than the parent's, on purpose
            *DatedModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["code", "valid_from"], name="commune_code_unique_in_its_time"
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(valid_from__isnull=True),
                name="commune_code_unique_without_beginning",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Village(DatedModel, TimestampedModel):
    """A village (thôn). It belongs to the commune it was founded in and to its successors."""

    commune = models.ForeignKey(
        Commune, on_delete=models.PROTECT, related_name="villages", verbose_name=_("commune")
    )
    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    successor = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="predecessors",
        verbose_name=_("successor"),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta(DatedModel.Meta):
        verbose_name = _("village")
        verbose_name_plural = _("villages")

    def __str__(self) -> str:
        return self.name
