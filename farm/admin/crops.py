"""Crop profiles to edit; batches and their books to read: they change on the farm's own pages."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline

from common.back_office import OfficeAdmin, ReadOnlyAdmin, ReadOnlyInline, coloured
from common.text import vnd
from farm.models import Batch, CostEntry, CropProfile, CropStage, Harvest, LabourEntry

STATUS_COLOURS: dict[str, str] = {
    Batch.Status.GROWING: "info",
    Batch.Status.HARVESTING: "success",
    Batch.Status.ENDED: "default",
    Batch.Status.LOST: "danger",
}


class CropStageInline(StackedInline):
    """The growth stages, in their order."""

    model = CropStage
    extra = 0
    ordering = ("position",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("position", "name", "days"),
                    ("ec_low", "ec_high", "ph_low", "ph_high"),
                    ("air_low", "air_high", "humidity_low", "humidity_high"),
                    ("vpd_low", "vpd_high", "water_high"),
                    ("dli", "drain_percent"),
                    "source",
                    "source_date",
                )
            },
        ),
    )


@admin.register(CropProfile)
class CropProfileAdmin(OfficeAdmin):
    """How a crop wants to grow: what is edited here, no file overwrites."""

    inlines = (CropStageInline,)
    list_display = ("name", "code", "is_verified", "soil_days", "soil_kg_per_m2", "source_date")
    list_filter = ("is_verified",)
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    fieldsets = (
        (None, {"fields": ("code", "name", "is_verified", "source", "source_date", "note")}),
        (
            gettext_lazy("The same crop in soil"),
            {
                "description": gettext_lazy(
                    "Batches are compared with these figures. The cooperative's own, from its own "
                    "fields, are the best ones. Leave empty what nobody knows."
                ),
                "fields": (
                    "soil_days",
                    "soil_kg_per_m2",
                    "soil_litres_per_kg",
                    "soil_hours_per_m2",
                    "soil_source",
                ),
            },
        ),
    )


class EntryInline(ReadOnlyInline):
    """Entries of a batch's book in their order, with who wrote them."""

    related = ("by",)
    row_order = ("day", "pk")

    @admin.display(description=gettext_lazy("written by"))
    def writer(self, entry: Any) -> str:
        return str(entry.by or "")


class HarvestInline(EntryInline):
    model = Harvest
    fields = readonly_fields = ("day", "kg", "grade", "money", "note", "writer", "struck_at")

    @admin.display(description=gettext_lazy("sold for"))
    def money(self, entry: Harvest) -> str:
        return vnd(entry.vnd) if entry.vnd else ""


class CostInline(EntryInline):
    model = CostEntry
    fields = readonly_fields = (
        "day",
        "kind",
        "money",
        "waiting_days",
        "note",
        "writer",
        "struck_at",
    )

    @admin.display(description=gettext_lazy("amount"))
    def money(self, entry: CostEntry) -> str:
        return vnd(entry.vnd)


class LabourInline(EntryInline):
    model = LabourEntry
    fields = readonly_fields = ("day", "task", "hours", "note", "writer", "struck_at")


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """What grew where, with its book."""

    list_display = ("code", "profile", "variety", "zone_words", "sown_date", "ended_date", "state")
    list_select_related = ("profile", "zone__greenhouse")
    list_filter = ("status", "profile", "zone__greenhouse")
    search_fields = ("code", "variety")
    search_help_text = gettext_lazy("Batch number or variety")
    ordering = ("-sown_date", "-pk")
    inlines = (HarvestInline, CostInline, LabourInline)
    fields = (
        "code",
        "profile",
        "variety",
        "method",
        "zone_words",
        "area_m2",
        "plants",
        "sown_date",
        "transplanted_date",
        "ended_date",
        "status",
        "note",
    )

    @admin.display(description=gettext_lazy("zone"))
    def zone_words(self, batch: Batch) -> str:
        return f"{batch.zone}, {batch.zone.greenhouse}"

    @coloured(gettext_lazy("status"), STATUS_COLOURS, ordering="status")
    def state(self, batch: Batch) -> tuple[str, str]:
        return batch.status, batch.get_status_display()


class EntryAdmin(ReadOnlyAdmin):
    """Entries of all batches, to search through."""

    list_select_related = ("batch__profile", "by")
    search_fields = ("batch__code", "note")
    search_help_text = gettext_lazy("Batch number or note")
    ordering = ("-day", "-pk")
    exclude = ("by",)

    @admin.display(description=gettext_lazy("written by"), ordering="by__full_name")
    def writer(self, entry: Any) -> str:
        return str(entry.by or "")

    @admin.display(description=gettext_lazy("amount"), ordering="vnd")
    def money(self, entry: Any) -> str:
        return vnd(entry.vnd) if entry.vnd else ""


@admin.register(Harvest)
class HarvestAdmin(EntryAdmin):
    list_display = ("day", "batch", "kg", "grade", "money", "note", "writer", "struck_at")
    list_filter = ("grade", "batch__profile")


@admin.register(CostEntry)
class CostEntryAdmin(EntryAdmin):
    list_display = ("day", "batch", "kind", "money", "note", "writer", "struck_at")
    list_filter = ("kind", "batch__profile")


@admin.register(LabourEntry)
class LabourEntryAdmin(EntryAdmin):
    list_display = ("day", "batch", "task", "hours", "note", "writer", "struck_at")
    list_filter = ("task", "batch__profile")
