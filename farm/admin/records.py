"""What happened: commands, decisions, alarms and newest values, to be read and never edited."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from common.back_office import ReadOnlyAdmin, ReadOnlyInline, coloured
from farm import office_words, words
from farm.explain import alarm_words, decision_words
from farm.models import Alarm, Command, CommandEvent, Decision, DeviceRun, LatestReading
from farm.selectors import steps

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
    fields = readonly_fields = (
        "at",
        "step_said",
        "why_said",
        "device_time_said",
        "ran_said",
        "litres_said",
    )
    row_order = ("at", "pk")

    @admin.display(description=gettext_lazy("step"))
    def step_said(self, event: CommandEvent) -> str:
        return office_words.step_words(event.step)

    @admin.display(description=gettext_lazy("why"))
    def why_said(self, event: CommandEvent) -> str:
        return office_words.why_words(event.why)

    @admin.display(description=gettext_lazy("by the device's clock"))
    def device_time_said(self, event: CommandEvent) -> str:
        return words.moment(event.device_time) if event.device_time else ""

    @admin.display(description=gettext_lazy("ran"))
    def ran_said(self, event: CommandEvent) -> str:
        return "" if event.ran_seconds is None else words.run_words(event.ran_seconds)

    @admin.display(description=gettext_lazy("litres"))
    def litres_said(self, event: CommandEvent) -> str:
        return "" if event.ran_litres is None else words.litres(event.ran_litres)


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    """What was asked of controllers, and what they said became of it."""

    inlines = (CommandEventInline,)
    list_display = (
        "created_at",
        "op",
        "output",
        "node",
        "status_words",
        "source",
        "by",
        "why_said",
    )
    list_select_related = ("output", "node", "by")
    list_filter = ("status", "op", "source", "node__greenhouse")
    search_fields = ("id", "output__code", "output__label", "node__name")
    ordering = ("-created_at", "-pk")
    fields = (
        "op",
        "output",
        "channel",
        "node",
        "seconds",
        "litres",
        "ml",
        "value",
        "source",
        "by",
        "rule_said",
        "status",
        "why_said",
        "created_at",
        "expires_at",
        "sends",
        "sent_at",
        "last_sent_said",
        "accepted_said",
        "started_at",
        "ended_at",
        "ran_seconds",
        "ran_litres",
        "settled_said",
        "number",
    )

    @coloured(gettext_lazy("status"), STATUS_COLOURS, ordering="status")
    def status_words(self, command: Command) -> tuple[str, str]:
        return command.status, command.get_status_display()

    @admin.display(description=gettext_lazy("why"), ordering="why")
    def why_said(self, command: Command) -> str:
        return office_words.why_words(command.why)

    @admin.display(description=gettext_lazy("programme"))
    def rule_said(self, command: Command) -> str:
        return str(command.rule or "")

    @admin.display(description=gettext_lazy("sent again at"))
    def last_sent_said(self, command: Command) -> str:
        is_again = command.last_sent_at and command.last_sent_at != command.sent_at
        return words.moment(command.last_sent_at) if is_again and command.last_sent_at else ""

    @admin.display(description=gettext_lazy("accepted at"))
    def accepted_said(self, command: Command) -> str:
        return words.moment(command.accepted_at) if command.accepted_at else ""

    @admin.display(description=gettext_lazy("looked at by somebody at"))
    def settled_said(self, command: Command) -> str:
        return words.moment(command.settled_at) if command.settled_at else ""

    @admin.display(description=gettext_lazy("number of the command"))
    def number(self, command: Command) -> str:
        return command.pk


@admin.register(DeviceRun)
class DeviceRunAdmin(ReadOnlyAdmin):
    """Runs that nobody had commanded: by the button at the device, or by its own timetable."""

    list_display = ("began_at", "output", "source_said", "ended_at", "is_end_told", "litres")
    list_select_related = ("output",)
    list_filter = ("output__node__greenhouse",)
    search_fields = ("output__code", "output__label", "output__node__name")
    ordering = ("-began_at", "-pk")
    fields = (
        "output",
        "source_said",
        "began_at",
        "due_at",
        "ended_at",
        "is_end_told",
        "litres",
        "is_measured",
    )

    @admin.display(description=gettext_lazy("switched by"), ordering="source")
    def source_said(self, run: DeviceRun) -> str:
        return words.switched_by_words(run.source)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Why programmes did something, or did not."""

    list_display = ("at", "rule", "verdict_words", "sentence", "command_said")
    list_select_related = ("rule__zone", "rule__sensor", "command__output")
    list_filter = ("verdict", "rule__zone__greenhouse")
    search_fields = ("rule__name", "reason")
    ordering = ("-at", "-pk")
    fields = ("at", "rule", "verdict", "sentence", "command_said")

    @coloured(gettext_lazy("verdict"), VERDICT_COLOURS, ordering="verdict")
    def verdict_words(self, decision: Decision) -> tuple[str, str]:
        return decision.verdict, decision.get_verdict_display()

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def sentence(self, decision: Decision) -> str:
        return decision_words(decision)

    @admin.display(description=gettext_lazy("command"))
    def command_said(self, decision: Decision) -> str:
        command = decision.command
        if command is None:
            return ""
        return f"{command.output or command.get_op_display()}: {steps.asked_words(command)}"


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """Alarms, those that stand and those that are over; they are seen to on the farm's pages."""

    list_display = ("opened_at", "severity_words", "sentence", "greenhouse", "cleared_at")
    list_select_related = (
        "greenhouse", "zone", "node", "channel", "output", "acknowledged_by",
    )  # fmt: skip
    list_filter = ("severity", "greenhouse")
    search_fields = ("key", "kind")
    ordering = ("-opened_at", "-pk")
    fields = (
        "sentence",
        "severity",
        "greenhouse",
        "zone_said",
        "node_said",
        "channel_said",
        "output_said",
        "opened_at",
        "last_at",
        "times",
        "acknowledged_at",
        "seen_by_said",
        "cleared_at",
    )

    @coloured(gettext_lazy("severity"), SEVERITY_COLOURS, ordering="severity")
    def severity_words(self, alarm: Alarm) -> tuple[str, str]:
        return str(alarm.severity), alarm.get_severity_display()

    @admin.display(description=gettext_lazy("what is wrong"))
    def sentence(self, alarm: Alarm) -> str:
        return alarm_words(alarm)

    @admin.display(description=gettext_lazy("zone"))
    def zone_said(self, alarm: Alarm) -> str:
        return str(alarm.zone or "")

    @admin.display(description=gettext_lazy("controller"))
    def node_said(self, alarm: Alarm) -> str:
        return str(alarm.node or "")

    @admin.display(description=gettext_lazy("sensor"))
    def channel_said(self, alarm: Alarm) -> str:
        return str(alarm.channel or "")

    @admin.display(description=gettext_lazy("output"))
    def output_said(self, alarm: Alarm) -> str:
        return str(alarm.output or "")

    @admin.display(description=gettext_lazy("seen by"))
    def seen_by_said(self, alarm: Alarm) -> str:
        return str(alarm.acknowledged_by or "")


@admin.register(LatestReading)
class LatestReadingAdmin(ReadOnlyAdmin):
    """The newest value of each sensor."""

    list_display = ("channel", "v", "t", "received_at")
    list_select_related = ("channel__node", "channel__zone")
    list_filter = ("channel__node__greenhouse", "channel__quantity")
    search_fields = ("channel__code", "channel__label", "channel__node__name")
    ordering = ("channel__node__name", "channel__code")
