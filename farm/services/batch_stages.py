"""Alarm limits that follow the growth stage of what grows in a zone."""

from datetime import date
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from farm.errors import BatchEntryRefusedError
from farm.models import Alarm, AlarmLimit, Batch, Channel
from farm.selectors.targets import Band, Grown, concerns
from farm.services.batches import stage_on


class Followed(NamedTuple):
    """How a limit that follows a stage behaves until somebody changes it."""

    hysteresis: float
    delay_seconds: int
    severity: int


# Proposals. A greenhouse's air swings within minutes and in summer it is beyond every recipe for
# hours: that is a notice, after half an hour. The solution does neither.
FOLLOWED: Final[dict[str, Followed]] = {
    Channel.Quantity.EC: Followed(0.1, 600, Alarm.Severity.WARNING),
    Channel.Quantity.PH: Followed(0.1, 600, Alarm.Severity.WARNING),
    Channel.Quantity.AIR_TEMPERATURE: Followed(1.0, 1800, Alarm.Severity.NOTICE),
    Channel.Quantity.RELATIVE_HUMIDITY: Followed(3.0, 1800, Alarm.Severity.NOTICE),
    Channel.Quantity.WATER_TEMPERATURE: Followed(0.5, 1800, Alarm.Severity.NOTICE),
}


@transaction.atomic
def apply_stage_targets(*, batch: Batch, day: date) -> list[AlarmLimit]:
    """Set the alarm limits of the zone's sensors to what the batch's stage wants on a day.

    Only limits that follow a stage are touched: those that people made stay, and of the ones that
    follow only the two ends change, so a limit that was switched off stays off. A sensor of the
    whole house serves where the zone has none of its own, unless another zone of the house grows
    something too. What the stage says nothing about has no limit afterwards, and neither has what
    says nothing of a batch in soil: else the limits of the batch before it would go on. Raises
    BatchEntryRefusedError when the batch is in no stage.
    """
    stage = stage_on(batch, day)
    if batch.ended_date is not None or stage is None:
        raise BatchEntryRefusedError(_("The batch is in no growth stage on this day."))
    grown = Grown(batch, batch.profile.name, stage)
    limits = []
    for quantity, channels in _channels_by_quantity(batch).items():
        for channel in channels:
            limits += _follow(channel, FOLLOWED[quantity], grown.band(quantity))
    return limits


def follow_stages(*, day: date) -> int:
    """Move the limits that follow a stage to the day's stage, for every batch that grows.

    For a daily job; twice is harmless. A batch that was never asked to have such limits gets none.
    """
    followed = AlarmLimit.objects.filter(follows_stage=True).select_related("channel__node")
    zones = {limit.channel.zone_id for limit in followed}
    houses = {limit.channel.node.greenhouse_id for limit in followed if not limit.channel.zone_id}
    batches = (
        Batch.objects.filter(ended_date=None)
        .filter(Q(zone__in=zones - {None}) | Q(zone__greenhouse__in=houses))
        .select_related("zone", "profile")
        .prefetch_related("profile__stages")
        .order_by("sown_date", "pk")
    )
    return sum(
        len(apply_stage_targets(batch=batch, day=day))
        for batch in batches
        if stage_on(batch, day) is not None
    )


def _channels_by_quantity(batch: Batch) -> dict[str, list[Channel]]:
    """Find the sensors that show what the batch lives in."""
    here = Q(zone=batch.zone_id)
    if not _has_neighbours(batch):
        here |= Q(zone=None, node__greenhouse=batch.zone.greenhouse_id)
    found: dict[str, list[Channel]] = {}
    has_tank_beside = _has_tank_beside(batch)
    followed = [
        quantity for quantity in FOLLOWED if concerns(batch, quantity) or not has_tank_beside
    ]
    for channel in Channel.objects.filter(here, is_active=True, quantity__in=followed):
        found.setdefault(channel.quantity, []).append(channel)
    for quantity, channels in found.items():
        own = [channel for channel in channels if channel.zone_id]
        found[quantity] = own or channels
    return found


def _has_neighbours(batch: Batch) -> bool:
    others = Batch.objects.filter(zone__greenhouse=batch.zone.greenhouse_id, ended_date=None)
    return others.exclude(zone=batch.zone_id).exists()


def _has_tank_beside(batch: Batch) -> bool:
    """Whether another batch of the zone lives in a solution: its limits are not soil's to end."""
    others = Batch.objects.filter(zone=batch.zone_id, ended_date=None).exclude(pk=batch.pk)
    return others.exclude(method=Batch.Method.SOIL).exists()


def _follow(channel: Channel, wish: Followed, band: Band | None) -> list[AlarmLimit]:
    """Write one sensor's limit; none where the stage says nothing about it."""
    own = AlarmLimit.objects.filter(channel=channel, follows_stage=True)
    if band is None:
        own.delete()
        return []
    limit = own.select_for_update().first() or AlarmLimit(
        channel=channel,
        follows_stage=True,
        hysteresis=wish.hysteresis,
        delay_seconds=wish.delay_seconds,
        severity=wish.severity,
    )
    if (limit.low, limit.high) != (band.low, band.high):
        limit.low, limit.high, limit.breached_since = band.low, band.high, None
        limit.save()
    return [limit]
