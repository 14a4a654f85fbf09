"""What is grown: crop profiles with their stages, batches, harvests, costs and labour."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.ids import uuid7
from common.models import TimestampedModel
from farm.models import checks
from farm.models.places import Zone


class CropProfile(TimestampedModel):
    """How a crop wants to grow. Every figure is the cooperative's to change."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=80)
    is_verified = models.BooleanField(_("verified"), default=False)
    source = models.TextField(_("source"))
    source_date = models.DateField(_("date of the source"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    # Growing the same in soil here, to compare with: the cooperative's own figures or a source's.
    soil_days = models.PositiveSmallIntegerField(
        _("in soil: days to harvest"), null=True, blank=True
    )
    soil_kg_per_m2 = models.FloatField(_("in soil: kg per m²"), null=True, blank=True)
    soil_litres_per_kg = models.FloatField(_("in soil: litres per kg"), null=True, blank=True)
    soil_hours_per_m2 = models.FloatField(_("in soil: hours per m²"), null=True, blank=True)
    soil_source = models.TextField(_("source of the soil figures"), blank=True)
    # What the profile's own file last wrote, in short: while the rows still say so, nobody has
    # edited them and a newer file may change them (farm.services.crop_profiles).
    loaded_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("crop profile")
        verbose_name_plural = _("crop profiles")

    def __str__(self) -> str:
        return self.name


class CropStage(models.Model):
    """One growth stage with its targets; empty means that the profile says nothing."""

    profile = models.ForeignKey(
        CropProfile, on_delete=models.CASCADE, related_name="stages", verbose_name=_("profile")
    )
    position = models.PositiveSmallIntegerField(_("order"))
    name = models.CharField(_("name"), max_length=80)
    days = models.PositiveSmallIntegerField(_("days"))
    ec_low = models.FloatField(_("EC from, mS/cm"), null=True, blank=True)
    ec_high = models.FloatField(_("EC to, mS/cm"), null=True, blank=True)
    ph_low = models.FloatField(_("pH from"), null=True, blank=True)
    ph_high = models.FloatField(_("pH to"), null=True, blank=True)
    air_low = models.FloatField(_("air from, °C"), null=True, blank=True)
    air_high = models.FloatField(_("air to, °C"), null=True, blank=True)
    humidity_low = models.FloatField(_("humidity from, %"), null=True, blank=True)
    humidity_high = models.FloatField(_("humidity to, %"), null=True, blank=True)
    vpd_low = models.FloatField(_("VPD from, kPa"), null=True, blank=True)
    vpd_high = models.FloatField(_("VPD to, kPa"), null=True, blank=True)
    water_high = models.FloatField(_("water at most, °C"), null=True, blank=True)
    dli = models.FloatField(_("light a day, mol/m²"), null=True, blank=True)
    drain_percent = models.FloatField(_("drain, %"), null=True, blank=True)
    source = models.TextField(_("source of the figures"), blank=True)
    source_date = models.DateField(_("date of the source"), null=True, blank=True)

    class Meta:
        verbose_name = _("growth stage")
        verbose_name_plural = _("growth stages")
        constraints = (
            models.UniqueConstraint(fields=["profile", "position"], name="stage_order_unique"),
            checks.in_order("ec_low", "ec_high", name="stage_ec_in_order"),
            checks.in_order("ph_low", "ph_high", name="stage_ph_in_order"),
            checks.in_order("air_low", "air_high", name="stage_air_in_order"),
            checks.in_order("humidity_low", "humidity_high", name="stage_humidity_in_order"),
            checks.in_order("vpd_low", "vpd_high", name="stage_vpd_in_order"),
        )

    def __str__(self) -> str:
        return self.name


class Batch(TimestampedModel):
    """One sowing, from the seed to the last harvest, in one zone."""

    class Status(models.TextChoices):
        GROWING = "growing", _("Growing")
        HARVESTING = "harvesting", _("Being harvested")
        ENDED = "ended", _("Ended")
        LOST = "lost", _("Lost")

    class Method(models.TextChoices):
        HYDROPONIC = "hydroponic", _("In water, without soil")
        SUBSTRATE = "substrate", _("In coir bags with drip watering")
        SOIL = "soil", _("In soil, under a roof")

    code = models.CharField(_("batch number"), max_length=20, unique=True)
    token = models.CharField(max_length=32, unique=True, editable=False)
    zone = models.ForeignKey(
        Zone, on_delete=models.PROTECT, related_name="batches", verbose_name=_("zone")
    )
    profile = models.ForeignKey(
        CropProfile, on_delete=models.PROTECT, related_name="batches", verbose_name=_("crop")
    )
    variety = models.CharField(_("variety"), max_length=80, blank=True)
    method = models.CharField(
        _("growing method"), max_length=10, choices=Method, default=Method.HYDROPONIC
    )
    area_m2 = models.FloatField(_("area, m²"))
    plants = models.PositiveIntegerField(_("plants"), default=0)
    sown_date = models.DateField(_("sown on"))
    transplanted_date = models.DateField(_("planted out on"), null=True, blank=True)
    ended_date = models.DateField(_("ended on"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.GROWING)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = (
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="batch_area_positive"),
            models.CheckConstraint(
                condition=Q(ended_date__isnull=True) | Q(ended_date__gte=models.F("sown_date")),
                name="batch_ends_after_it_was_sown",
            ),
        )

    def __str__(self) -> str:
        return self.code


class BatchEntry(models.Model):
    """What every entry of a batch's book has: a day, who wrote it, and an id of the phone's own.

    The phone makes the id, so that an entry sent twice from a field without a signal is one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    day = models.DateField(_("day"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    written_at = models.DateTimeField(_("written at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # A mistake is struck out, not deleted.
    struck_at = models.DateTimeField(_("struck out at"), null=True, blank=True)

    class Meta:
        abstract = True


class Harvest(BatchEntry):
    """Produce that was picked and weighed."""

    class Grade(models.TextChoices):
        FIRST = "1", _("Grade 1")
        SECOND = "2", _("Grade 2")
        WASTE = "x", _("Not for sale")

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="harvests")
    kg = models.FloatField(_("kg"))
    grade = models.CharField(_("grade"), max_length=1, choices=Grade, default=Grade.FIRST)
    vnd = models.PositiveBigIntegerField(_("sold for, ₫"), default=0)

    class Meta:
        verbose_name = _("harvest")
        verbose_name_plural = _("harvests")
        constraints = (models.CheckConstraint(condition=Q(kg__gt=0), name="harvest_kg_positive"),)

    def __str__(self) -> str:
        return f"{self.batch_id} {self.kg} kg"


class CostEntry(BatchEntry):
    """Money spent on a batch."""

    class Kind(models.TextChoices):
        SEED = "seed", _("Seed, seedlings")
        FERTILISER = "fertiliser", _("Fertiliser")
        SUBSTRATE = "substrate", _("Substrate")
        PROTECTION = "protection", _("Plant protection")
        POWER = "power", _("Electricity")
        WATER = "water", _("Water")
        LABOUR = "labour", _("Hired labour")
        OTHER = "other", _("Other")

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="costs")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    vnd = models.PositiveBigIntegerField(_("amount, ₫"))
    # Of plant protection alone, as the product's label says; None where nobody has noted it.
    waiting_days = models.PositiveSmallIntegerField(
        _("waiting days before picking"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("cost")
        verbose_name_plural = _("costs")

    def __str__(self) -> str:
        return f"{self.batch_id} {self.vnd}"


class LabourEntry(BatchEntry):
    """Hours worked on a batch."""

    class Task(models.TextChoices):
        SOWING = "sowing", _("Sowing")
        PLANTING = "planting", _("Planting out")
        CARE = "care", _("Care")
        POLLINATION = "pollination", _("Pollination")
        HARVEST = "harvest", _("Harvest")
        CLEANING = "cleaning", _("Cleaning")
        OTHER = "other", _("Other")

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="labour")
    task = models.CharField(_("task"), max_length=12, choices=Task)
    hours = models.FloatField(_("hours"))

    class Meta:
        verbose_name = _("labour")
        verbose_name_plural = _("labour")
        constraints = (
            models.CheckConstraint(condition=Q(hours__gt=0), name="labour_hours_positive"),
        )

    def __str__(self) -> str:
        return f"{self.batch_id} {self.hours} h"


class WaterUse(models.Model):
    """Litres given to a zone on a day, projected from what devices said that they ran."""

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="water_use")
    day = models.DateField()
    litres = models.FloatField()
    is_measured = models.BooleanField()  # by a flow meter; else seconds times the expected flow
    # Runs of which nobody can tell what they gave: the litres are of the others.
    unknown_runs = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("water used")
        verbose_name_plural = _("water used")
        constraints = (
            models.UniqueConstraint(fields=["zone", "day"], name="water_use_once_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.zone_id} {self.day} {self.litres} L"
