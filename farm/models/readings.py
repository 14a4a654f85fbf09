"""What was measured, how it is summed up, and what could not be believed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.models.places import Channel, Node


class Flag(models.IntegerChoices):
    """Bits of Reading.flags."""

    ESTIMATED = 1, _("time estimated")
    BUFFERED = 2, _("sent later")
    CALIBRATING = 4, _("while calibrating")
    OUT_OF_RANGE = 8, _("outside what is sensible")


class Reading(models.Model):
    """One value at one moment: narrow, never edited, partitioned by month on PostgreSQL."""

    pk = models.CompositePrimaryKey("channel_id", "t")
    channel = models.ForeignKey(
        Channel, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    t = models.DateTimeField()
    v = models.FloatField()
    flags = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")

    def __str__(self) -> str:
        return f"{self.channel_id} {self.t:%Y-%m-%d %H:%M:%S} {self.v}"


class Rollup(models.Model):
    """A bucket of readings, always recomputed from below and never added to.

    `bucket` is the bucket's beginning; a day begins at local midnight.
    """

    class Level(models.IntegerChoices):
        MINUTE = 60, _("1 minute")
        QUARTER = 900, _("15 minutes")
        HOUR = 3600, _("1 hour")
        DAY = 86400, _("1 day")

    pk = models.CompositePrimaryKey("channel_id", "level", "bucket")
    channel = models.ForeignKey(
        Channel, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    level = models.IntegerField(choices=Level)
    bucket = models.DateTimeField()
    n = models.IntegerField()
    total = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    last = models.FloatField()

    class Meta:
        verbose_name = _("rollup")
        verbose_name_plural = _("rollups")

    def __str__(self) -> str:
        return f"{self.channel_id} {self.level} {self.bucket:%Y-%m-%d %H:%M}"


class DirtyHour(models.Model):
    """A note that readings came for a channel's hour; the rollup job takes it away.

    Notes are only added, several for one hour if need be: a note that were updated in place
    would make the bridge wait for the job, or be lost between the two.
    """

    channel = models.ForeignKey(
        Channel, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    hour = models.DateTimeField()

    class Meta:
        verbose_name = _("hour to sum up")
        verbose_name_plural = _("hours to sum up")
        indexes = (models.Index(fields=["channel", "hour"], name="dirty_hour_of_channel"),)

    def __str__(self) -> str:
        return f"{self.channel_id} {self.hour:%Y-%m-%d %H}"


class LatestReading(models.Model):
    """The newest value of a channel by its own time, for pages and rules."""

    channel = models.OneToOneField(
        Channel, on_delete=models.CASCADE, primary_key=True, related_name="latest"
    )
    t = models.DateTimeField()
    # None when the sensor itself said that it failed.
    v = models.FloatField(null=True)
    flags = models.SmallIntegerField(default=0)
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = _("latest reading")
        verbose_name_plural = _("latest readings")

    def __str__(self) -> str:
        return f"{self.channel_id} {self.v}"


class BootSequence(models.Model):
    """Which frames of one boot of a node have arrived: sorted, merged [first, last] ranges.

    Doubles are told by it, also those without a clock, and gaps are seen in it.
    """

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="boots")
    boot = models.BigIntegerField()
    ranges = models.JSONField(default=list)
    # The next frame's number when the controller first told of this boot; null: it has not.
    counted_from = models.BigIntegerField(null=True)
    began_at = models.DateTimeField()
    last_frame_at = models.DateTimeField(null=True)
    # Since when frames are missing in between, and up to which number nobody asks any more.
    gap_seen_at = models.DateTimeField(null=True)
    lost_up_to = models.BigIntegerField(default=-1)
    resend_asked_at = models.DateTimeField(null=True)
    resend_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("frames of a boot")
        verbose_name_plural = _("frames of boots")
        constraints = (models.UniqueConstraint(fields=["node", "boot"], name="boot_once_per_node"),)

    def __str__(self) -> str:
        return f"{self.node_id}/{self.boot}"


class QuarantinedFrame(models.Model):
    """A message that could not be believed, kept with the reason so that somebody can look."""

    class Reason(models.TextChoices):
        FUTURE = "future", _("from the future")
        TOO_OLD = "too_old", _("older than 35 days")
        NOT_FINITE = "not_finite", _("not a number")
        IMPOSSIBLE = "impossible", _("an impossible value")
        NOT_UTF8 = "not_utf8", _("not UTF-8")
        NOT_JSON = "not_json", _("not JSON")
        MALFORMED = "malformed", _("not as farm/v1 says")
        TOO_LARGE = "too_large", _("too large")
        UNKNOWN_CHANNEL = "unknown_channel", _("unknown channel")
        UNKNOWN_NODE = "unknown_node", _("unknown controller")
        WRONG_HOUSE = "wrong_house", _("under another house")
        RETAINED_COMMAND = "retained", _("an old command, retained")

    node = models.ForeignKey(Node, on_delete=models.CASCADE, null=True, related_name="quarantined")
    topic = models.CharField(_("topic"), max_length=200)
    payload = models.BinaryField(_("payload"))
    size = models.PositiveIntegerField(_("size, bytes"))
    reason = models.CharField(_("reason"), max_length=15, choices=Reason)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("quarantined message")
        verbose_name_plural = _("quarantined messages")
        indexes = (models.Index(fields=["-received_at"], name="quarantine_newest_first"),)

    def __str__(self) -> str:
        return f"{self.topic}: {self.reason}"
