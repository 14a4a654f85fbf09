"""What was asked of a controller and what became of it; truth is the device's own words."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.append_only import AppendOnlyModel, AppendOnlyQuerySet
from farm.models.places import Channel, Greenhouse, Node, Output


class CommandQuerySet(models.QuerySet["Command"]):
    """Ways to narrow a set of commands."""

    def open(self) -> Self:
        """Commands whose end is not known yet."""
        return self.filter(status__in=Command.OPEN)

    def to_be_sent(self, *, at: datetime) -> Self:
        """Commands that wait or may need sending again: a cheap question, asked often."""
        waiting = (Command.Status.QUEUED, Command.Status.SENT)
        return self.filter(status__in=waiting, expires_at__gt=at)


class Command(models.Model):
    """One command, sent again under the same id until it is answered, never under a second one.

    `status` is a projection of its events (farm.command_states). A run always has `seconds`.
    """

    class Op(models.TextChoices):
        RUN = "run", _("Run")
        STOP = "stop", _("Stop")
        STOP_ALL = "stop_all", _("Stop everything")
        DOSE = "dose", _("Dose")
        SET = "set", _("Set")
        PING = "ping", _("Are you there?")
        RESEND = "resend", _("Send again")
        CALIBRATE = "calibrate", _("Calibrate")

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        ACCEPTED = "accepted", _("Accepted")
        STARTED = "started", _("Running")
        DONE = "done", _("Done")
        ABORTED = "aborted", _("Broken off")
        REJECTED = "rejected", _("Rejected")
        EXPIRED = "expired", _("Too late")
        UNKNOWN = "unknown", _("No answer")

    class Source(models.TextChoices):
        PERSON = "person", _("by hand")
        API = "api", _("by a program")
        SCHEDULE = "schedule", _("by the timetable")
        LIGHT_SUM = "light_sum", _("by the light")
        HYSTERESIS = "hysteresis", _("by a limit")
        DOSING = "dosing", _("by EC and pH")
        SAFETY = "safety", _("for safety")
        SYSTEM = "system", _("by the system")

    OPEN = ("queued", "sent", "accepted", "started")

    id = models.CharField(primary_key=True, max_length=26, editable=False)  # ULID
    node = models.ForeignKey(
        Node, on_delete=models.PROTECT, related_name="commands", verbose_name=_("controller")
    )
    output = models.ForeignKey(
        Output,
        on_delete=models.PROTECT,
        null=True,
        related_name="commands",
        verbose_name=_("output"),
    )
    channel = models.ForeignKey(
        Channel,
        on_delete=models.PROTECT,
        null=True,
        related_name="commands",
        verbose_name=_("sensor channel"),
    )
    op = models.CharField(_("what"), max_length=9, choices=Op)
    seconds = models.PositiveIntegerField(_("seconds"), null=True)
    litres = models.FloatField(_("litres"), null=True)
    ml = models.FloatField(_("ml"), null=True)
    value = models.FloatField(_("value"), null=True)
    arguments = models.JSONField(_("arguments"), default=dict)  # resend: from, to; calibrate: …
    source = models.CharField(_("source"), max_length=10, choices=Source)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    rule = models.ForeignKey(
        "farm.Rule", on_delete=models.PROTECT, null=True, related_name="commands"
    )
    generation = models.PositiveIntegerField(default=0)
    # The caller's own id: the same one again answers with the first command.
    caller_key = models.CharField(max_length=80, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.QUEUED)
    why = models.CharField(_("why"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("valid until"))
    sends = models.PositiveSmallIntegerField(_("times sent"), default=0)
    sent_at = models.DateTimeField(_("first sent at"), null=True)
    last_sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    # What the device says that it did; None as long as it has not said it.
    ran_seconds = models.FloatField(_("ran, seconds"), null=True)
    ran_litres = models.FloatField(_("ran, litres"), null=True)
    # When an unknown dose was settled by proof or by a person; until then it blocks the next.
    settled_at = models.DateTimeField(null=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        constraints = (
            models.CheckConstraint(
                # A check that comes to NULL passes, so what must be there is said to be.
                condition=~Q(op="run")
                | Q(seconds__isnull=False, seconds__gte=1, output__isnull=False),
                name="command_run_has_seconds",
            ),
            models.CheckConstraint(
                condition=~Q(op="dose") | Q(ml__isnull=False, ml__gt=0, output__isnull=False),
                name="command_dose_has_ml",
            ),
            models.CheckConstraint(
                condition=~Q(op="set")
                # NULL is neither true nor false, and would pass by itself.
                | Q(
                    value__isnull=False,
                    value__gte=0,
                    value__lte=100,
                    seconds__isnull=False,
                    seconds__gte=1,
                    output__isnull=False,
                ),
                name="command_set_has_strength_and_end",
            ),
            models.CheckConstraint(
                condition=~Q(op="calibrate") | Q(value__isnull=False, channel__isnull=False),
                name="command_calibrate_has_channel_and_value",
            ),
            models.UniqueConstraint(
                fields=["node", "caller_key"],
                condition=~Q(caller_key=""),
                name="command_once_per_caller_key",
            ),
        )
        indexes = (
            models.Index(
                fields=["node"],
                condition=Q(status__in=("queued", "sent", "accepted", "started")),
                name="command_open",
            ),
            models.Index(fields=["output", "-created_at"], name="command_of_output"),
            models.Index(fields=["-created_at"], name="command_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.get_op_display()} {self.id}"


class CommandEvent(AppendOnlyModel):
    """One step of a command: what we did, or what the device said, as it came."""

    command = models.ForeignKey(Command, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(_("at"))
    # queued, sent, an ack's st, or "late" words that change nothing any more
    step = models.CharField(_("step"), max_length=12)
    device_time = models.DateTimeField(null=True)
    boot = models.BigIntegerField(null=True)
    why = models.CharField(max_length=40, blank=True)
    ran_seconds = models.FloatField(null=True)
    ran_litres = models.FloatField(null=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of a command")
        verbose_name_plural = _("steps of commands")

    def __str__(self) -> str:
        return f"{self.command_id} {self.step}"


class StateWord(models.Model):
    """What a valve said of itself (B/out/<o>/state), kept as long as readings are.

    The runs that a device began itself are computed of these words, in whatever order they came.
    `stamp` is the device's own milliseconds, by which the same word is known again.
    """

    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="state_words")
    boot = models.BigIntegerField(default=0)
    stamp = models.BigIntegerField()
    at = models.DateTimeField()
    is_on = models.BooleanField()
    source = models.CharField(max_length=10, blank=True)
    command = models.CharField(max_length=26, blank=True)
    left_seconds = models.FloatField(null=True)

    class Meta:
        verbose_name = _("word of a valve")
        verbose_name_plural = _("words of valves")
        constraints = (
            models.UniqueConstraint(
                fields=["output", "boot", "stamp", "is_on", "source"], name="state_word_once"
            ),
        )
        indexes = (models.Index(fields=["output", "at"], name="state_word_of_output"),)

    def __str__(self) -> str:
        return f"{self.output_id} {'on' if self.is_on else 'off'}"


class DeviceRun(models.Model):
    """A run that a valve's device began itself: by its button, its timetable, its own rule.

    A projection of the valve's words (farm.device_runs). `ended_at` is None while it runs;
    `due_at` is when it ends at the latest, None where nothing bounds it.
    """

    output = models.ForeignKey(
        Output, on_delete=models.PROTECT, related_name="device_runs", verbose_name=_("output")
    )
    source = models.CharField(_("switched by"), max_length=10, blank=True)
    began_at = models.DateTimeField(_("began at"))
    due_at = models.DateTimeField(_("ends at the latest"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    is_end_told = models.BooleanField(_("the device told the end"), default=False)
    # What it gave; None as long as it runs, and where nobody can tell.
    litres = models.FloatField(_("litres"), null=True)
    is_measured = models.BooleanField(_("by a flow meter"), default=False)

    class Meta:
        verbose_name = _("run begun at the device")
        verbose_name_plural = _("runs begun at devices")
        constraints = (
            models.UniqueConstraint(fields=["output", "began_at"], name="device_run_begins_once"),
        )
        indexes = (
            models.Index(fields=["began_at"], name="device_run_by_day"),
            models.Index(
                fields=["due_at"], condition=Q(ended_at__isnull=True), name="device_run_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.output_id} {self.source} {self.began_at:%Y-%m-%d %H:%M:%S}"

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs, and where nobody knows when it ended."""
        if self.ended_at is None or (self.due_at is None and not self.is_end_told):
            return None
        return (self.ended_at - self.began_at).total_seconds()


class DeviceEvent(models.Model):
    """An alarm or interlock that a controller raised or cleared itself (B/event)."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="device_events")
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField()
    kind = models.CharField(_("kind"), max_length=40)
    is_raised = models.BooleanField(_("raised"))
    output_code = models.CharField(max_length=24, blank=True)
    facts = models.JSONField(default=dict)
    boot = models.BigIntegerField(null=True)
    # Of a controller without a clock: milliseconds since that boot.
    up_ms = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("event of a controller")
        verbose_name_plural = _("events of controllers")
        constraints = (
            models.UniqueConstraint(
                fields=["node", "at", "kind", "is_raised", "output_code"],
                condition=models.Q(up_ms__isnull=True),
                name="device_event_once",
            ),
            models.UniqueConstraint(
                fields=["node", "boot", "up_ms", "kind", "is_raised", "output_code"],
                condition=models.Q(up_ms__isnull=False),
                name="device_event_once_a_boot",
            ),
        )

    def __str__(self) -> str:
        return f"{self.node_id} {self.kind}"


class NodeConfig(models.Model):
    """The desired config of a node, published retained at each change of its revision."""

    node = models.OneToOneField(
        Node, on_delete=models.CASCADE, primary_key=True, related_name="config"
    )
    rev = models.PositiveIntegerField(default=0)
    document = models.JSONField(default=dict)
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published_rev = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("config of a controller")
        verbose_name_plural = _("configs of controllers")

    def __str__(self) -> str:
        return f"{self.node_id} rev {self.rev}"


class EmergencyStop(models.Model):
    """Who stopped a house, or let it go on, when and why."""

    greenhouse = models.ForeignKey(Greenhouse, on_delete=models.PROTECT, related_name="stops")
    at = models.DateTimeField(_("at"))
    is_stop = models.BooleanField(_("stopped"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("emergency stop")
        verbose_name_plural = _("emergency stops")

    def __str__(self) -> str:
        return f"{self.greenhouse_id} {'stop' if self.is_stop else 'go'}"
