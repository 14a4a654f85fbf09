"""Storing what devices measured that do not speak farm/v1: no numbers, no clock of their own."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from farm import plausibility
from farm.models import Channel, Flag, Node, QuarantinedFrame
from farm.services import ingest, quarantine, reading_rows
from farm.services.reading_rows import Newest, ValuesByTime


class ForeignValue(NamedTuple):
    """One value as it arrived; None when the sensor said that it failed."""

    node: Node
    code: str
    value: float | None
    topic: str
    received_at: datetime


@transaction.atomic
def store_values(*, arrived: Sequence[ForeignValue], at: datetime) -> set[int]:
    """Store what belongs to a channel that somebody has set up; return the channels touched.

    The time is that of the arrival, cut to the second: the same message delivered twice within it
    is one reading. What no channel asks for is no complaint, such devices tell a lot.
    """
    nodes = {one.node.pk for one in arrived}
    channels = {
        (channel.node_id, channel.code): channel
        for channel in Channel.objects.filter(node_id__in=nodes, is_active=True)
    }
    values_by_t: ValuesByTime = defaultdict(dict)
    newest: dict[int, Newest] = {}
    complaints: list[QuarantinedFrame] = []
    for one in arrived:
        channel = channels.get((one.node.pk, one.code))
        if channel is None:
            continue
        measured = _measured(one, channel)
        if isinstance(measured, QuarantinedFrame):
            complaints.append(measured)
            continue
        newest[channel.pk] = measured
        t, v, flags, _ = measured
        if v is not None:
            values_by_t[t].setdefault(channel.pk, (v, flags))
    reading_rows.insert(values_by_t=values_by_t)
    reading_rows.mark_dirty(channel_ids_by_t=values_by_t)
    reading_rows.note_newest(newest_by_channel=newest)
    if complaints:
        quarantine.keep(complaints=complaints, at=at)
    ingest.note_heard(node_ids=nodes, at=at)
    return set(newest)


def _measured(one: ForeignValue, channel: Channel) -> Newest | QuarantinedFrame:
    t, flags = one.received_at.replace(microsecond=0), int(Flag.ESTIMATED)
    if one.value is None:
        return t, None, flags, one.received_at
    value = one.value * channel.scale + channel.offset
    reason = plausibility.doubt(one.value, value, channel.quantity)
    if reason:
        return quarantine.complaint(
            topic=one.topic,
            payload=repr(one.value).encode(),
            reason=reason,
            detail=one.code,
            at=one.received_at,
            node=one.node,
        )
    is_odd = (channel.low is not None and value < channel.low) or (
        channel.high is not None and value > channel.high
    )
    flags |= int(Flag.OUT_OF_RANGE) if is_odd else 0
    return t, plausibility.storable(value), flags, one.received_at
