"""Greenhouses, zones, controllers and what hangs on them; who is told, and beyond which values."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline

from common.back_office import OfficeAdmin, ReadOnlyInline, coloured
from farm import office_words, words
from farm.models import AlarmLimit, Channel, Greenhouse, Node, Output, Watch, Zone

YES_NO_COLOURS = {"yes": "success", "no": "danger"}


class ZoneInline(TabularInline):
    """The zones of a house."""

    model = Zone
    extra = 0
    hide_title = True
    fields = ("code", "name", "kind", "area_m2", "plants", "reservoir_l", "is_active")
    ordering = ("name",)


class WatchInline(TabularInline):
    """Who is told of a house's alarms."""

    model = Watch
    extra = 0
    hide_title = True
    autocomplete_fields = ("user",)
    fields = ("user", "step", "after_minutes", "by_sms", "quiet_from", "quiet_to")
    ordering = ("step", "pk")


@admin.register(Greenhouse)
class GreenhouseAdmin(OfficeAdmin):
    """Houses; the emergency stop is pressed on the farm's own pages, never here."""

    inlines = (ZoneInline, WatchInline)
    list_display = ("name", "code", "village", "area_m2", "stop_words", "is_active")
    list_select_related = ("village",)
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    readonly_fields = ("is_stopped", "stopped_at", "stopped_by")

    @coloured(gettext_lazy("emergency stop"), {"stopped": "danger", "free": "success"})
    def stop_words(self, house: Greenhouse) -> tuple[str, str]:
        return ("stopped", _("stopped")) if house.is_stopped else ("free", _("works"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep a house's code: it stands in the topics of its controllers."""
        return (*self.readonly_fields, "code") if obj else self.readonly_fields


@admin.register(Zone)
class ZoneAdmin(OfficeAdmin):
    """Racks and beds with the most that a day may take."""

    list_display = (
        "name",
        "greenhouse",
        "kind",
        "area_m2",
        "daily_litre_cap",
        "daily_dose_cap_ml",
        "is_active",
    )
    list_select_related = ("greenhouse",)
    list_filter = ("greenhouse", "kind", "is_active")
    search_fields = ("name", "code")
    ordering = ("greenhouse__name", "name", "pk")


class ChannelInline(ReadOnlyInline):
    """The sensors of a controller; they come from its birth message."""

    model = Channel
    fields = ("code", "label", "quantity", "unit", "zone", "is_active")
    related = ("zone", "node")
    row_order = ("code",)


class OutputInline(ReadOnlyInline):
    """The outputs of a controller; they come from its birth message."""

    model = Output
    fields = ("code", "label", "kind", "zone", "max_seconds", "lock", "is_active")
    related = ("zone", "node")
    row_order = ("code",)


@admin.register(Node)
class NodeAdmin(OfficeAdmin):
    """Controllers: a name given here is the one that may speak, all others are put aside."""

    inlines = (ChannelInline, OutputInline)
    list_display = ("name", "label", "greenhouse", "protocol", "online_words", "heard_at")
    list_select_related = ("greenhouse",)
    list_filter = ("greenhouse", "protocol", "is_online")
    search_fields = ("name", "label")
    ordering = ("greenhouse__name", "name", "pk")
    readonly_fields = (
        "is_online",
        "status_at",
        "heard_at",
        "boot",
        "born_at",
        "firmware",
        "hardware",
        "reset_said",
        "clock_said",
        "buffered_frames",
        "config_rev",
        "config_acked_rev",
        "config_error",
        "last_ping_ok_at",
    )

    @admin.display(description=gettext_lazy("last reset"))
    def reset_said(self, node: Node) -> str:
        return office_words.reset_words(node.reset_reason)

    @admin.display(description=gettext_lazy("clock"))
    def clock_said(self, node: Node) -> str:
        return office_words.clock_words(node.clock)

    @coloured(gettext_lazy("connected"), YES_NO_COLOURS, ordering="is_online")
    def online_words(self, node: Node) -> tuple[str, str]:
        return ("yes", _("connected")) if node.is_online else ("no", _("not connected"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep a controller's name: it is its user name and stands in its topics."""
        return (*self.readonly_fields, "name") if obj else self.readonly_fields


class AlarmLimitInline(TabularInline):
    """Beyond which values a sensor gives alarm."""

    model = AlarmLimit
    extra = 0
    hide_title = True
    fields = ("low", "high", "hysteresis", "delay_seconds", "severity", "is_enabled")
    ordering = ("pk",)


@admin.register(Channel)
class ChannelAdmin(OfficeAdmin):
    """Sensors: what they measure, where, what is sensible, and how they are corrected."""

    inlines = (AlarmLimitInline,)
    list_display = ("code", "label", "quantity", "zone", "node", "stale_seconds", "is_active")
    list_select_related = ("node", "zone")
    list_filter = ("node__greenhouse", "quantity", "is_active")
    search_fields = ("code", "label", "node__name")
    ordering = ("node__name", "code", "pk")
    readonly_fields = ("node", "code")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let sensors come from their controller alone."""
        return False


@admin.register(Output)
class OutputAdmin(OfficeAdmin):
    """Outputs: their limits; they are switched and locked on the farm's own pages."""

    list_display = ("code", "label", "kind", "zone", "node", "max_seconds", "lock", "is_active")
    list_select_related = ("node", "zone")
    list_filter = ("node__greenhouse", "kind", "is_active")
    search_fields = ("code", "label", "node__name")
    ordering = ("node__name", "code", "pk")
    exclude = ("needs",)  # the device's own, told in words
    readonly_fields = (
        "node",
        "code",
        "needs_said",
        "lock",
        "lock_until",
        "lock_reason",
        "is_on",
        "state_at",
        "state_heard_at",
        "switched_by_said",
        "state_left_seconds",
        "state_flow",
    )

    @admin.display(description=gettext_lazy("interlocks of the device"))
    def needs_said(self, output: Output) -> str:
        return office_words.needs_words(output.needs)

    @admin.display(description=gettext_lazy("switched by"))
    def switched_by_said(self, output: Output) -> str:
        return words.switched_by_words(output.state_source)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let outputs come from their controller alone."""
        return False


@admin.register(Watch)
class WatchAdmin(OfficeAdmin):
    """Who is told of a house's alarms, in which order."""

    list_display = ("user", "greenhouse", "step", "after_minutes", "by_sms", "quiet_from")
    list_select_related = ("user", "greenhouse")
    list_filter = ("greenhouse",)
    autocomplete_fields = ("user",)
    search_fields = ("user__full_name",)
    ordering = ("greenhouse__name", "step", "pk")


@admin.register(AlarmLimit)
class AlarmLimitAdmin(OfficeAdmin):
    """Limits of all sensors in one list."""

    list_display = ("channel", "low", "high", "hysteresis", "delay_seconds", "severity")
    list_select_related = ("channel__node", "channel__zone")
    list_filter = ("severity", "is_enabled")
    search_fields = ("channel__code", "channel__label", "channel__node__name")
    autocomplete_fields = ("channel",)
    ordering = ("channel__node__name", "channel__code", "pk")
