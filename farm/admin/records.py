"""What happened: commands, decisions, alarms and newest values, to be read and never edited."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from common.back_office import ReadOnlyAdmin, ReadOnlyInline, coloured
from farm.explain import alarm_words
from farm.models import Alarm, Command, CommandEvent, Decision, DeviceRun, LatestReading

STATUS_COLOURS: dict[str, str] = {
    Command.Status.DONE: "success",
    Command.Status.ABORTED: "warning",
    Command.Status.REJECTED: "danger",
    Command.Status.EXPIRED: "warning",
    Command.Status.UNKNOWN: "danger",
}
VERDICT_COLOURS: dict[str, str] = {
    Decision.Verdict.ACT: "success",
    Decision.Verdict.BLOCKED: "danger",
}
SEVERITY_COLOURS = {"1": "info", "2": "warning", "3": "danger"}


class CommandEventInline(ReadOnlyInline):
    """Each step of a command, as it came."""

    model = CommandEvent
    row_order = ("at", "pk")


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    """What was asked of controllers, and what they said became of it."""

    inlines = (CommandEventInline,)
    list_display = ("created_at", "op", "output", "node", "status_words", "source", "by", "why")
    list_select_related = ("output", "node", "by")
    list_filter = ("status", "op", "source", "node__greenhouse")
    search_fields = ("id", "output__code", "output__label", "node__name")
    ordering = ("-created_at", "-pk")

    @coloured(gettext_lazy("status"), STATUS_COLOURS, ordering="status")
    def status_words(self, command: Command) -> tuple[str, str]:
        return command.status, command.get_status_display()


@admin.register(DeviceRun)
class DeviceRunAdmin(ReadOnlyAdmin):
    """Runs that nobody had commanded: by the button at the device, or by its own timetable."""

    list_display = ("began_at", "output", "source", "ended_at", "is_end_told", "litres")
    list_select_related = ("output",)
    list_filter = ("source", "output__node__greenhouse")
    search_fields = ("output__code", "output__label", "output__node__name")
    ordering = ("-began_at", "-pk")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Why programmes did something, or did not."""

    list_display = ("at", "rule", "verdict_words", "reason", "command")
    list_select_related = ("rule", "command")
    list_filter = ("verdict", "rule__zone__greenhouse")
    search_fields = ("rule__name", "reason")
    ordering = ("-at", "-pk")

    @coloured(gettext_lazy("verdict"), VERDICT_COLOURS, ordering="verdict")
    def verdict_words(self, decision: Decision) -> tuple[str, str]:
        return decision.verdict, decision.get_verdict_display()


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """Alarms, those that stand and those that are over; they are seen to on the farm's pages."""

    list_display = ("opened_at", "severity_words", "sentence", "greenhouse", "cleared_at")
    list_select_related = ("greenhouse", "zone", "node", "channel", "output")
    list_filter = ("severity", "kind", "greenhouse")
    search_fields = ("key", "kind")
    ordering = ("-opened_at", "-pk")

    @coloured(gettext_lazy("severity"), SEVERITY_COLOURS, ordering="severity")
    def severity_words(self, alarm: Alarm) -> tuple[str, str]:
        return str(alarm.severity), alarm.get_severity_display()

    @admin.display(description=gettext_lazy("what is wrong"))
    def sentence(self, alarm: Alarm) -> str:
        return alarm_words(alarm)


@admin.register(LatestReading)
class LatestReadingAdmin(ReadOnlyAdmin):
    """The newest value of each sensor."""

    list_display = ("channel", "v", "t", "received_at")
    list_select_related = ("channel__node", "channel__zone")
    list_filter = ("channel__node__greenhouse", "channel__quantity")
    search_fields = ("channel__code", "channel__label", "channel__node__name")
    ordering = ("channel__node__name", "channel__code")
