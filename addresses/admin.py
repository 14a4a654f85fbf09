"""Communes and villages, to be read: they come from the official lists (manage.py load_places)."""

from django.contrib import admin

from addresses.models import Commune, Village
from common.back_office import ReadOnlyAdmin


@admin.register(Commune)
class CommuneAdmin(ReadOnlyAdmin):
    list_display = ("name", "code", "district", "province", "valid_from", "valid_to", "successor")
    list_select_related = ("successor",)
    search_fields = ("name", "code")
    ordering = ("name", "valid_from", "pk")


@admin.register(Village)
class VillageAdmin(ReadOnlyAdmin):
    list_display = ("name", "code", "commune", "valid_from", "valid_to", "successor")
    list_select_related = ("commune", "successor")
    list_filter = ("commune",)
    search_fields = ("name", "code")
    ordering = ("name", "pk")
