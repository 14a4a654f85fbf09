"""The commune's population register, as far as other apps need it: households and residents."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.file_import import FileImport, ImportProblem
from common.models import TimestampedModel


class HouseholdQuerySet(models.QuerySet["Household"]):
    """Ways to narrow a set of households."""

    def visible_to(self, user: User) -> Self:
        """Households whose contact number, or a member's, is the verified number of this person."""
        if not user.is_phone_verified:
            return self.none()
        members = Resident.objects.living_here().filter(phone=user.phone).values("household")
        return self.filter(Q(phone=user.phone) | Q(pk__in=members), is_active=True)


class Household(TimestampedModel):
    """People who live behind one door; one of them speaks for the house."""

    code = models.CharField(_("household code"), max_length=20, unique=True)
    village = models.ForeignKey(
        "addresses.Village", on_delete=models.PROTECT, related_name="+", verbose_name=_("village")
    )
    representative = models.CharField(_("representative"), max_length=120)
    representative_sort_key = models.CharField(max_length=400, editable=False)
    search_key = models.CharField(max_length=300, editable=False)
    phone = models.CharField(_("phone number"), max_length=16, blank=True)
    lane = models.CharField(_("lane, house"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        verbose_name = _("household")
        verbose_name_plural = _("households")
        indexes = (
            models.Index(fields=["phone"], name="household_phone", condition=~Q(phone="")),
            models.Index(
                fields=["village", "representative_sort_key"], name="household_by_village"
            ),
        )

    def __str__(self) -> str:
        return f"{self.representative} ({self.code})"


class ResidentQuerySet(models.QuerySet["Resident"]):
    """Ways to narrow a set of residents."""

    def living_here(self) -> Self:
        """Those who belong to their household still: nobody who moved away or died."""
        gone = (Resident.Residence.LEFT, Resident.Residence.DECEASED)
        return self.exclude(residence__in=gone)


class Resident(TimestampedModel):
    """One person of a household."""

    class Sex(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")

    class Residence(models.TextChoices):
        PERMANENT = "permanent", _("Permanent residence")
        TEMPORARY = "temporary", _("Temporary residence")
        AWAY = "away", _("Temporarily away")
        LEFT = "left", _("Moved away")
        DECEASED = "deceased", _("Deceased")

    household = models.ForeignKey(
        Household, on_delete=models.PROTECT, related_name="residents", verbose_name=_("household")
    )
    code = models.CharField(_("resident code"), max_length=24, unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    sort_key = models.CharField(max_length=400, editable=False)
    search_key = models.CharField(max_length=200, editable=False)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex)
    residence = models.CharField(
        _("residence status"), max_length=10, choices=Residence, default=Residence.PERMANENT
    )
    phone = models.CharField(_("phone number"), max_length=16, blank=True)

    objects = ResidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("resident")
        verbose_name_plural = _("residents")
        indexes = (
            models.Index(fields=["phone"], name="resident_phone", condition=~Q(phone="")),
            models.Index(fields=["birth_date"], name="resident_birth_date"),
        )

    def __str__(self) -> str:
        return self.full_name


class RegisterImport(FileImport):
    """A file of households and residents on its way in; one bad row stops all of it."""

    file = models.FileField(_("file"), upload_to="imports/register/")

    class Meta:
        verbose_name = _("register import")
        verbose_name_plural = _("register imports")


class RegisterImportProblem(ImportProblem):
    """Why one row of a register file cannot be taken over."""

    file_import = models.ForeignKey(
        RegisterImport, on_delete=models.CASCADE, related_name="problems"
    )

    class Meta:
        verbose_name = _("problem in a row")
        verbose_name_plural = _("problems in rows")
