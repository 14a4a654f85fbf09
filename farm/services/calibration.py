"""Calibrating a pH or EC probe: kept from the programmes, then told which value it stands in.

A probe is out of the tank before anybody presses anything, and for a while after: what it shows
then is true of a bottle, and no programme may feed by it. So whoever calibrates begins and ends.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from farm import safety
from farm.errors import CommandRefusedError
from farm.models import Alarm, Channel, Command
from farm.services.command_requests import VALID_FOR, first_of_key, refuse_blocked, write

# Long enough for two bottles; whoever forgets to end it gets the programmes back after it.
IN_HAND_FOR = timedelta(minutes=30)
IN_HAND_AFTER_COMMAND = timedelta(minutes=10)
# Back in the tank, a probe needs a moment to show the tank's water.
SETTLES_WITHIN = timedelta(minutes=2)
# What standard solutions are sold as.
SOLUTIONS = {Channel.Quantity.PH: (1.0, 13.0), Channel.Quantity.EC: (0.05, 20.0)}  # EC in mS/cm
# A probe that is further off is broken, or stands in another bottle than somebody thinks.
PH_OFF_BY = 1.5
EC_OFF_BY_TIMES = 2.0
# Only who stands at the probe knows in what it stands.
WITH_HANDS = (Command.Source.PERSON, Command.Source.API)


@transaction.atomic
def begin_calibration(*, channel: Channel, at: datetime) -> Channel:
    """Keep a probe from the programmes and the alarms, because somebody takes it out."""
    channel = _locked(channel)
    _refuse_unfit(channel)
    return _hold(channel, until=at + IN_HAND_FOR)


@transaction.atomic
def end_calibration(*, channel: Channel, at: datetime) -> Channel:
    """Give a probe back to the programmes, as soon as it shows the tank's water again."""
    channel = _locked(channel)
    if channel.is_in_hand(at):
        _hold(channel, until=at + SETTLES_WITHIN)
    return channel


@transaction.atomic
def request_calibrate(  # each is a fact of the command, named by keyword
    *,
    channel: Channel,
    value: float,
    source: str,
    at: datetime,
    by: User | None = None,
    caller_key: str = "",
) -> Command:
    """Ask for a probe to show `value`, that of the solution it stands in (pH, or EC in mS/cm)."""
    if source not in WITH_HANDS:
        raise CommandRefusedError(_("Only people calibrate a probe."), reason="source")
    channel = _locked(channel)
    command = Command(
        op=Command.Op.CALIBRATE, channel=channel, arguments={"ch": channel.code}, source=source,
        by=by, caller_key=caller_key,
    )  # fmt: skip
    first = first_of_key(command, node=channel.node)
    if first is not None:
        return first
    _refuse_unfit(channel)
    _refuse_odd_solution(channel, value=value, at=at)
    _refuse_busy(channel)
    request = safety.Request(safety.Source(source), safety.Deed.CALIBRATE)
    refuse_blocked(safety.judge(safety.Facts(is_online=_is_reachable(channel)), request))
    # The controller shows the sensor's own value; ours may be scaled.
    command.value = (value - channel.offset) / channel.scale
    if not channel.is_in_hand(at + IN_HAND_AFTER_COMMAND):
        _hold(channel, until=at + IN_HAND_AFTER_COMMAND)
    return write(command, node=channel.node, at=at, valid_for=VALID_FOR)


def _locked(channel: Channel) -> Channel:
    return (
        Channel.objects.select_for_update(no_key=True, of=("self",))
        .select_related("node__greenhouse")
        .get(pk=channel.pk)
    )


def _hold(channel: Channel, *, until: datetime) -> Channel:
    channel.calibrating_until = until
    channel.save(update_fields=["calibrating_until", "updated_at"])
    return channel


def _refuse_unfit(channel: Channel) -> None:
    node = channel.node
    if not (channel.is_active and node.greenhouse.is_active):
        raise CommandRefusedError(_("This sensor is not in use."), reason="inactive")
    if channel.quantity not in SOLUTIONS or not node.acknowledges:
        raise CommandRefusedError(_("This sensor cannot be calibrated from here."), reason="kind")


def _refuse_odd_solution(channel: Channel, *, value: float, at: datetime) -> None:
    """Raise for what no bottle holds, and for what the probe is too far from to be believed."""
    least, most = SOLUTIONS[Channel.Quantity(channel.quantity)]
    if not least <= value <= most:
        raise CommandRefusedError(
            _("A standard solution has from %(least)s to %(most)s here.")
            % {"least": localize(least), "most": localize(most)},
            reason="value",
        )
    latest = getattr(channel, "latest", None)
    is_fresh = latest is not None and at - latest.t <= timedelta(seconds=channel.stale_seconds)
    if latest is None or not is_fresh or latest.v is None:
        return
    if channel.quantity == Channel.Quantity.PH:
        is_far = abs(latest.v - value) > PH_OFF_BY
    else:
        is_far = not value / EC_OFF_BY_TIMES <= latest.v <= value * EC_OFF_BY_TIMES
    if is_far:
        raise CommandRefusedError(
            _("The probe shows %(shown)s, too far from %(value)s. Is it the right bottle?")
            % {"shown": localize(round(latest.v, 2)), "value": localize(value)},
            reason="too_far",
        )


def _refuse_busy(channel: Channel) -> None:
    if Command.objects.open().filter(channel=channel, op=Command.Op.CALIBRATE).exists():
        raise CommandRefusedError(_("This probe is being calibrated just now."), reason="busy")


def _is_reachable(channel: Channel) -> bool:
    is_deaf = Alarm.objects.filter(
        key=f"node_deaf:{channel.node_id}", cleared_at__isnull=True
    ).exists()
    return channel.node.is_online and not is_deaf
