"""Controllers with what hangs on them, and the messages that could not be believed."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from farm.models import Channel, Greenhouse, Node, Output, QuarantinedFrame
from farm.selectors.calibration import SOLUTIONS
from farm.words import age_words

LATEST_QUARANTINED = 50
SHOWN_BYTES = 300


class Hanging(NamedTuple):
    """A sensor or output of a controller."""

    id: int
    code: str
    name: str
    kind: str
    zone: str
    is_probe: bool = False


class DeviceShown(NamedTuple):
    """A controller as the page of devices shows it."""

    id: int
    name: str
    code: str
    house: str
    protocol: str
    is_online: bool
    heard: str
    firmware: str
    hardware: str
    boot: str
    config: str
    is_config_kept: bool
    buffered: int
    ping: str
    channels: tuple[Hanging, ...]
    outputs: tuple[Hanging, ...]


class Quarantined(NamedTuple):
    """A message that was put aside, with the reason."""

    id: int
    received_at: datetime
    topic: str
    node: str
    reason: str
    detail: str
    size: int
    text: str


def devices(*, now: datetime) -> tuple[DeviceShown, ...]:
    """Give every controller with its sensors and outputs. Three queries."""
    nodes = (
        Node.objects.filter(greenhouse__is_active=True)
        .select_related("greenhouse")
        .prefetch_related(
            Prefetch("channels", Channel.objects.select_related("zone").order_by("code")),
            Prefetch("outputs", Output.objects.select_related("zone").order_by("code")),
        )
        .order_by("greenhouse__name", "name")
    )
    return tuple(_device(node, now) for node in nodes)


def quarantined() -> tuple[Quarantined, ...]:
    """Give the last messages that could not be believed, the newest first. One query."""
    frames = QuarantinedFrame.objects.select_related("node").order_by("-received_at", "-pk")
    return tuple(
        Quarantined(
            id=frame.pk,
            received_at=frame.received_at,
            topic=frame.topic,
            node=str(frame.node or _("unknown controller")),
            reason=frame.get_reason_display(),
            detail=frame.detail,
            size=frame.size,
            text=bytes(frame.payload)[:SHOWN_BYTES].decode("utf-8", "backslashreplace"),
        )
        for frame in frames[:LATEST_QUARANTINED]
    )


def houses() -> list[Greenhouse]:
    """Give the greenhouses in use by name. One query."""
    return list(Greenhouse.objects.filter(is_active=True).order_by("name", "pk"))


def _device(node: Node, now: datetime) -> DeviceShown:
    is_kept = node.config_acked_rev >= node.config_rev and not node.config_error
    return DeviceShown(
        id=node.pk,
        name=str(node),
        code=node.name,
        house=node.greenhouse.name,
        protocol=node.get_protocol_display(),
        is_online=node.is_online,
        heard=age_words(node.heard_at, now),
        firmware=node.firmware,
        hardware=node.hardware,
        boot="" if node.boot is None else str(node.boot),
        config=_config(node, is_kept=is_kept),
        is_config_kept=is_kept,
        buffered=node.buffered_frames,
        ping=age_words(node.last_ping_ok_at, now) if node.last_ping_ok_at else "",
        channels=tuple(
            Hanging(
                channel.pk,
                channel.code,
                str(channel),
                channel.get_quantity_display(),
                channel.zone.name if channel.zone else "",
                is_probe=node.acknowledges and channel.is_active and channel.quantity in SOLUTIONS,
            )
            for channel in node.channels.all()
        ),
        outputs=tuple(
            Hanging(
                output.pk,
                output.code,
                str(output),
                output.get_kind_display(),
                output.zone.name if output.zone else "",
            )
            for output in node.outputs.all()
        ),
    )


def _config(node: Node, *, is_kept: bool) -> str:
    if not node.acknowledges:
        return _("has no settings of ours")
    if node.config_error:
        return _("refused settings %(rev)s: %(error)s") % {
            "rev": node.config_rev,
            "error": node.config_error,
        }
    if is_kept:
        return _("keeps settings %(rev)s") % {"rev": node.config_acked_rev}
    return _("has not confirmed settings %(rev)s yet") % {"rev": node.config_rev}
