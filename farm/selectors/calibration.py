"""A probe while somebody calibrates it: what it shows, and what the controller answers."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from farm import words
from farm.models import Channel, Command, Node
from farm.selectors import steps

# What bottles hold that are sold here.
SOLUTIONS = {Channel.Quantity.PH: (4.0, 6.86, 7.0, 9.18), Channel.Quantity.EC: (1.413, 2.76, 12.88)}
LATEST = 5


class CalibrationPage(NamedTuple):
    """A probe, whether somebody has it in hand, and the latest answers."""

    id: int
    name: str
    node: str
    zone: str
    value: str
    at: datetime | None
    is_reachable: bool
    is_begun: bool
    until: datetime | None
    is_waiting: bool
    commands: tuple[steps.CommandSteps, ...]


def probes() -> QuerySet[Channel]:
    """Give the pH and EC probes that can be calibrated from here, with node, house and zone."""
    return (
        Channel.objects.shown()
        .filter(
            quantity__in=list(SOLUTIONS),
            node__greenhouse__is_active=True,
            node__protocol=Node.Protocol.FARM_V1,
        )
        .select_related("node__greenhouse", "zone", "latest")
    )


def calibration_page(channel: Channel, *, now: datetime) -> CalibrationPage:
    """Give what the page of a probe shows, for a channel of `probes()`. One query."""
    latest = getattr(channel, "latest", None)
    commands = list(
        Command.objects.filter(channel=channel, op=Command.Op.CALIBRATE)
        .select_related("node", "output", "channel", "by", "rule")
        .order_by("-created_at", "-pk")[:LATEST]
    )
    value = latest.v if latest else None
    is_begun = channel.is_in_hand(now)
    return CalibrationPage(
        id=channel.pk,
        name=str(channel),
        node=str(channel.node),
        zone=channel.zone.name if channel.zone else "",
        value="" if value is None else words.amount(value, channel.quantity),
        at=latest.t if latest else None,
        is_reachable=channel.node.is_online,
        is_begun=is_begun,
        until=channel.calibrating_until if is_begun else None,
        is_waiting=any(command.status in Command.OPEN for command in commands),
        commands=tuple(steps.steps_of(command, now=now) for command in commands),
    )
