"""Rules that water, cool and feed by themselves, and the reason for each thing they did."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from common.append_only import AppendOnlyModel, AppendOnlyQuerySet
from common.models import TimestampedModel
from farm.models import checks
from farm.models.commands import Command
from farm.models.places import Channel, Greenhouse, Node, Output, Zone


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


class Rule(TimestampedModel):
    """One rule. What it is set to depends on its kind: farm.control reads `parameters` strictly.

    `generation` grows with each change: a command made by an older generation is not sent.
    """

    class Kind(models.TextChoices):
        SCHEDULE = "schedule", _("Timetable")
        LIGHT_SUM = "light_sum", _("Water by the light")
        HYSTERESIS = "hysteresis", _("Between two limits")
        DOSING = "dosing", _("Feed by EC and pH")

    zone = models.ForeignKey(
        Zone, on_delete=models.PROTECT, related_name="rules", verbose_name=_("zone")
    )
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    outputs = models.ManyToManyField(Output, related_name="rules", verbose_name=_("outputs"))
    sensor = models.ForeignKey(
        Channel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("sensor"),
    )
    parameters = models.JSONField(_("settings"), default=dict)
    # What the rule remembers between two looks: last run, light so far, lock-out …
    memory = models.JSONField(default=dict, editable=False)
    is_enabled = models.BooleanField(_("on"), default=True)
    generation = models.PositiveIntegerField(default=1, editable=False)
    looked_at = models.DateTimeField(null=True, editable=False)
    next_look_at = models.DateTimeField(null=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False,
        related_name="+",
    )  # fmt: skip

    # Off for good and in no list: its decisions and commands still need it for their reasons.
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(archived_at__isnull=True) | models.Q(is_enabled=False),
                name="rule_archived_is_off",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Decision(AppendOnlyModel):
    """Why a rule did something, or did not: the numbers it saw and what it made of them."""

    class Verdict(models.TextChoices):
        ACT = "act", _("acted")
        SKIP = "skip", _("had no need")
        BLOCKED = "blocked", _("was held back")

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="decisions")
    at = models.DateTimeField(_("at"))
    verdict = models.CharField(_("verdict"), max_length=7, choices=Verdict)
    # Stable codes; sentences are made of them and `facts` (farm.explain).
    reason = models.CharField(_("reason"), max_length=40)
    facts = models.JSONField(default=dict)
    generation = models.PositiveIntegerField()
    command = models.ForeignKey(
        Command, on_delete=models.PROTECT, null=True, related_name="decisions"
    )

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = (models.Index(fields=["rule", "-at"], name="decision_of_rule"),)

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}, {_moment(self.at)}"


class Alarm(models.Model):
    """Something is wrong and somebody should know, once; it stands until it clears.

    One open alarm per `key`: what goes on is counted on it and not told again.
    """

    class Severity(models.IntegerChoices):
        NOTICE = 1, _("Notice")
        WARNING = 2, _("Warning")
        URGENT = 3, _("Urgent")

    greenhouse = models.ForeignKey(
        Greenhouse, on_delete=models.PROTECT, related_name="alarms", verbose_name=_("greenhouse")
    )
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, null=True, related_name="+")
    node = models.ForeignKey(Node, on_delete=models.PROTECT, null=True, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, related_name="+")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=80)
    kind = models.CharField(_("kind"), max_length=40)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField(_("since"))
    last_at = models.DateTimeField(_("last seen"))
    times = models.PositiveIntegerField(_("times"), default=1)
    acknowledged_at = models.DateTimeField(_("seen at"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    cleared_at = models.DateTimeField(_("over at"), null=True)
    told_level = models.PositiveSmallIntegerField(default=0)
    tell_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = (
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(cleared_at__isnull=True),
                name="alarm_open_once_per_key",
            ),
        )
        indexes = (
            models.Index(fields=["greenhouse", "-opened_at"], name="alarm_of_house_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.get_severity_display()}, {_moment(self.opened_at)}"


class AlarmLimit(TimestampedModel):
    """When a measured value is an alarm: beyond a limit for long enough, until well back inside."""

    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="limits", verbose_name=_("sensor")
    )
    low = models.FloatField(_("alarm below"), null=True, blank=True)
    high = models.FloatField(_("alarm above"), null=True, blank=True)
    hysteresis = models.FloatField(
        _("clear when back by"),
        default=0,
        help_text=_("So that a value at the limit is one alarm."),
    )
    delay_seconds = models.PositiveIntegerField(_("only after, seconds"), default=120)
    severity = models.PositiveSmallIntegerField(
        _("severity"), choices=Alarm.Severity, default=Alarm.Severity.WARNING
    )
    breached_since = models.DateTimeField(null=True, editable=False)
    # Set from the growth stage of the batch; limits that people set stay as they are.
    follows_stage = models.BooleanField(_("follows the batch's stage"), default=False)
    is_enabled = models.BooleanField(_("on"), default=True)

    class Meta:
        verbose_name = _("alarm limit")
        verbose_name_plural = _("alarm limits")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(low__isnull=False) | models.Q(high__isnull=False),
                name="alarm_limit_has_a_limit",
            ),
            checks.in_order("low", "high", name="alarm_limit_in_order"),
            checks.not_negative("hysteresis", name="alarm_limit_hysteresis_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.low}…{self.high}"


class Watch(TimestampedModel):
    """Who is told of a house's alarms: step 1 at once, the next steps while nobody has seen it."""

    greenhouse = models.ForeignKey(
        Greenhouse, on_delete=models.CASCADE, related_name="watches", verbose_name=_("greenhouse")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+",
        verbose_name=_("person"),
    )  # fmt: skip
    step = models.PositiveSmallIntegerField(_("step"), default=1)
    after_minutes = models.PositiveSmallIntegerField(_("after, minutes"), default=0)
    by_sms = models.BooleanField(_("also by SMS"), default=True)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(
        _("quiet to"),
        null=True,
        blank=True,
        help_text=_("Urgent alarms come through all the same."),
    )

    class Meta:
        verbose_name = _("person on watch")
        verbose_name_plural = _("people on watch")
        constraints = (
            models.UniqueConstraint(fields=["greenhouse", "user"], name="watch_once_per_house"),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.step}"
