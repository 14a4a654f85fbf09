"""How long what is kept: readings 60 days, 1 min a year, 15 min three years, hours for ever."""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from farm.models import (
    BootSequence,
    Command,
    DeviceEvent,
    DirtyHour,
    QuarantinedFrame,
    Reading,
    Rollup,
    StateWord,
)
from farm.services import partitions

logger = logging.getLogger(__name__)
READINGS = timedelta(days=60)
LEVELS = {
    Rollup.Level.MINUTE: timedelta(days=366),
    Rollup.Level.QUARTER: timedelta(days=3 * 366),
}
# What is older than 35 days is not taken any more, so that these runs are settled.
STATE_WORDS = timedelta(days=60)
QUARANTINE = timedelta(days=30)
BOOTS = timedelta(days=60)
PROBES = timedelta(days=3)
DEVICE_EVENTS = timedelta(days=366)


def keep_house(*, at: datetime) -> None:
    """Make room ahead and let go of what has served its time; twice is fine."""
    partitions.make_ahead(at=at)
    drop_readings(at=at)
    for level, age in LEVELS.items():
        Rollup.objects.filter(level=level, bucket__lt=at - age).delete()
    QuarantinedFrame.objects.filter(received_at__lt=at - QUARANTINE).delete()
    # Pings and requests to send again promise nothing to anybody, and have no story of their own.
    Command.objects.filter(
        op__in=(Command.Op.PING, Command.Op.RESEND), created_at__lt=at - PROBES
    ).exclude(status__in=Command.OPEN).delete()
    DeviceEvent.objects.filter(received_at__lt=at - DEVICE_EVENTS).delete()
    StateWord.objects.filter(at__lt=at - STATE_WORDS).delete()
    # A number that cannot come again: what is older than 35 days is not believed anyhow.
    is_over = Q(last_frame_at__lt=at - BOOTS) | Q(last_frame_at=None, began_at__lt=at - BOOTS)
    BootSequence.objects.filter(is_over).exclude(
        Q(node__boot=F("boot")) | Q(node__boot__isnull=True)
    ).delete()


@transaction.atomic
def drop_readings(*, at: datetime) -> None:
    """Let go of old readings, on PostgreSQL by whole months; not before they are summed up."""
    edge = at - READINGS
    if DirtyHour.objects.filter(hour__lt=edge).exists():
        logger.error("readings older than %s are kept: they are not summed up yet", edge.date())
    elif connection.vendor == "postgresql":
        partitions.drop_before(edge=edge)
    else:
        Reading.objects.filter(t__lt=edge).delete()
