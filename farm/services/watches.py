"""Who is on watch, and beyond which values a sensor gives alarm."""

from datetime import datetime, time

from django.db import transaction

from accounts.models import User
from farm.models import AlarmLimit, Channel, Greenhouse, Watch
from farm.services.alarms import clear_alarm


@transaction.atomic
def go_on_watch(*, greenhouse: Greenhouse, user: User) -> Watch:
    """Put a person on watch over a house; who is on watch already stays as they are."""
    watch, _is_new = Watch.objects.get_or_create(greenhouse=greenhouse, user=user)
    return watch


@transaction.atomic
def change_watch(
    *,
    watch: Watch,
    step: int,
    after_minutes: int,
    by_sms: bool,
    quiet_from: time | None,
    quiet_to: time | None,
) -> Watch:
    """Change when and how somebody is told."""
    watch = Watch.objects.select_for_update().get(pk=watch.pk)
    watch.step, watch.after_minutes, watch.by_sms = step, after_minutes, by_sms
    watch.quiet_from, watch.quiet_to = quiet_from, quiet_to
    watch.save()
    return watch


@transaction.atomic
def leave_watch(*, watch: Watch) -> None:
    """Take a person off watch; what they were told stays in their inbox."""
    Watch.objects.filter(pk=watch.pk).delete()


@transaction.atomic
def set_limit(*, channel: Channel, limit: AlarmLimit, at: datetime) -> AlarmLimit:
    """Write a limit of a channel; one that is switched off takes its alarm with it."""
    limit.channel, limit.breached_since = channel, None
    limit.save()
    if not limit.is_enabled:
        clear_alarm(key=f"limit:{limit.pk}", at=at)
    return limit


@transaction.atomic
def drop_limit(*, limit: AlarmLimit, at: datetime) -> None:
    """Take a limit away, and the alarm that it may have given."""
    clear_alarm(key=f"limit:{limit.pk}", at=at)
    AlarmLimit.objects.filter(pk=limit.pk).delete()
