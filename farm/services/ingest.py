"""Taking in what controllers measured: late, doubled or in any order, the rows come out the same.

What tells a double. A frame with a clock of its own is told by its readings' key, channel and
time: it is offered to the database each time, which keeps the first. A frame whose time is our
guess (no clock, or a clock that is ahead) is told by its number within the boot: a second arrival
would be guessed differently. So a controller that was flashed anew and counts from the beginning
loses nothing that has a time. What has none is lost only to a number that was used before, and
the birth that announces the smaller boot number makes us forget those (`forget_reused_boots`).
"""

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from farm import plausibility, sequences
from farm.frames import Frame
from farm.models import BootSequence, Flag, Node, QuarantinedFrame
from farm.services import frame_gaps, known_channels, reading_rows
from farm.services import quarantine as quarantine_rows
from farm.services.known_channels import KnownChannel
from farm.services.reading_rows import Newest, Value, ValuesByTime

logger = logging.getLogger(__name__)
HEARD_EVERY = timedelta(seconds=5)
NONE_KNOWN: Mapping[int, Node] = MappingProxyType({})


class ArrivedFrame(NamedTuple):
    """A frame and how it came."""

    node_id: int
    frame: Frame
    received_at: datetime
    is_buffered: bool = False


class _Taken(NamedTuple):
    """What can be believed of one frame, by channel."""

    t: datetime
    received_at: datetime
    value_by_channel: dict[int, Value]
    failed: dict[int, int]  # flags by channel whose sensor gave no value


@dataclass(slots=True)
class _Haul:
    """What the frames of one batch come to, before it is written."""

    taken: list[_Taken] = field(default_factory=list)
    complaints: list[QuarantinedFrame] = field(default_factory=list)

    def values_by_t(self) -> ValuesByTime:
        """List each value once; of two for one moment the first counts, being read last."""
        values: ValuesByTime = defaultdict(dict)
        for t, _, value_by_channel, _ in reversed(self.taken):
            values[t].update(value_by_channel)
        return values

    def newest_by_channel(self) -> dict[int, Newest]:
        """Find each channel's newest word; of two for one moment the first counts.

        A clock that is a little ahead is believed, but nothing is newer than its arrival: or the
        value would seem fresh, and hide all others, until the time comes that the clock told.
        """
        newest: dict[int, Newest] = {}
        by_time = [
            (min(t, received_at), received_at, value_by_channel, failed)
            for t, received_at, value_by_channel, failed in self.taken
        ]
        by_time.sort(key=itemgetter(0), reverse=True)
        for t, received_at, value_by_channel, failed in by_time:
            if not value_by_channel.keys() <= newest.keys():
                for channel_id, (v, flags) in value_by_channel.items():
                    newest.setdefault(channel_id, (t, v, flags, received_at))
            for channel_id, flags in failed.items():
                newest.setdefault(channel_id, (t, None, flags, received_at))
        return newest


@transaction.atomic
def store_frames(
    *, arrived: Sequence[ArrivedFrame], at: datetime, nodes: Mapping[int, Node] = NONE_KNOWN
) -> set[int]:
    """Store each value once, set aside what cannot be believed; return the channels touched.

    `nodes` are controllers by id that the caller has just read, with their greenhouses; others
    are looked up.
    """
    if not arrived:
        return set()
    node_by_id = _nodes_of(arrived, nodes)
    channels = known_channels.of_nodes(node_by_id)
    boots = _lock_boots(arrived, at)
    gap_before = {key: frame_gaps.first_gap(row) for key, row in boots.items()}
    newest_ms = _newest_in_each_message(arrived)
    haul = _Haul()
    for one in arrived:
        boot = boots[one.node_id, one.frame.boot]
        _take_frame(one, node_by_id[one.node_id], boot, channels[one.node_id], newest_ms, haul)
    newest_by_channel = haul.newest_by_channel()
    _write(haul, newest_by_channel, at)
    _write_boots(boots, gap_before, at)
    quiet = [
        node_id
        for node_id, node in node_by_id.items()
        if node.heard_at is None or node.heard_at < at - HEARD_EVERY
    ]
    note_heard(node_ids=quiet, at=at)
    return set(newest_by_channel)


def _nodes_of(arrived: Sequence[ArrivedFrame], known: Mapping[int, Node]) -> dict[int, Node]:
    wanted = {one.node_id for one in arrived}
    nodes = {node_id: known[node_id] for node_id in wanted & known.keys()}
    if len(nodes) < len(wanted):
        unknown = Node.objects.select_related("greenhouse").filter(pk__in=wanted - nodes.keys())
        nodes |= {node.pk: node for node in unknown}
    return nodes


@transaction.atomic
def quarantine(
    *, topic: str, payload: bytes, reason: str, detail: str, at: datetime, node: Node | None = None
) -> None:
    """Set a message aside with the reason, so that somebody can look."""
    complaint = quarantine_rows.complaint(
        topic=topic, payload=payload, reason=reason, detail=detail, at=at, node=node
    )
    quarantine_rows.keep(complaints=[complaint], at=at)


@transaction.atomic(savepoint=False)
def note_heard(*, node_ids: Collection[int], at: datetime) -> None:
    """Write down that these controllers spoke; not at each word, which would be a hot row."""
    if not node_ids:
        return
    Node.objects.filter(
        Q(heard_at__isnull=True) | Q(heard_at__lt=at - HEARD_EVERY), pk__in=sorted(node_ids)
    ).update(heard_at=at)


@transaction.atomic
def forget_reused_boots(*, node: Node, boot: int) -> int:
    """Forget which frames came, from this boot number on, when a controller counts anew.

    Called at a birth, before it is recorded: the same birth again finds node.boot as it says,
    and nothing is forgotten twice.
    """
    if node.boot is None or boot >= node.boot:
        return 0
    forgotten, _ = BootSequence.objects.filter(node=node, boot__gte=boot).delete()
    logger.warning("node %s counts its boots anew, from %d", node.name, boot)
    return forgotten


def _lock_boots(
    arrived: Sequence[ArrivedFrame], at: datetime
) -> dict[tuple[int, int], BootSequence]:
    """Lock what is known of the boots these frames are of, in key order; make what is new."""
    keys = sorted({(one.node_id, one.frame.boot) for one in arrived})
    rows = (
        BootSequence.objects.select_for_update(of=("self",))
        .filter(node_id__in={node_id for node_id, _ in keys}, boot__in={boot for _, boot in keys})
        .order_by("node_id", "boot")
    )
    known = {(row.node_id, row.boot): row for row in rows}
    missing = [key for key in keys if key not in known]
    if not missing:
        return known
    BootSequence.objects.bulk_create(
        [BootSequence(node_id=node_id, boot=boot, began_at=at) for node_id, boot in missing],
        ignore_conflicts=True,
    )
    return {(row.node_id, row.boot): row for row in rows.all()}


def _newest_in_each_message(arrived: Iterable[ArrivedFrame]) -> dict[tuple[int, datetime], int]:
    newest: dict[tuple[int, datetime], int] = {}
    for one in arrived:
        key = (one.node_id, one.received_at)
        newest[key] = max(newest.get(key, 0), one.frame.t_ms or 0)
    return newest


def _take_frame(
    one: ArrivedFrame,
    node: Node,
    boot: BootSequence,
    channel_by_code: dict[str, KnownChannel],
    newest_ms: dict[tuple[int, datetime], int],
    haul: _Haul,
) -> None:
    """Date one frame, sort out its values, and note its number."""
    ranges = sequences.from_json(boot.ranges)
    is_double = sequences.contains(ranges, one.frame.seq)
    dated = plausibility.date_frame(
        one.frame,
        received_at=one.received_at,
        newest_ms=newest_ms[one.node_id, one.received_at],
        is_earlier_boot=node.boot is not None and one.frame.boot < node.boot,
        boot_began_at=None if boot.last_frame_at is None else boot.began_at,
    )
    if is_double and (dated.is_estimated or dated.t is None):
        return
    complaints: list[tuple[str, str, dict[str, float | None]]] = []
    if dated.reason:
        complaints.append((dated.reason, dated.detail, dict(one.frame.values)))
    if dated.t is not None:
        complaints += _sort_out(one, dated, dated.t, channel_by_code, haul)
    if not is_double:
        haul.complaints += [_complaint(one, node, *parts) for parts in complaints]
    _note_arrival(boot, sequences.add(ranges, one.frame.seq), one, dated.t)


def _sort_out(
    one: ArrivedFrame,
    dated: plausibility.Dated,
    t: datetime,
    channel_by_code: dict[str, KnownChannel],
    haul: _Haul,
) -> list[tuple[str, str, dict[str, float | None]]]:
    """Put a frame's good values into the haul; return the others by the reason."""
    refused: dict[str, dict[str, float | None]] = {}
    taken: dict[int, Value] = {}
    failed: dict[int, int] = {}
    flags = (Flag.ESTIMATED if dated.is_estimated else 0) | (
        Flag.BUFFERED if one.is_buffered else 0
    )
    for code, raw in one.frame.values.items():
        channel = channel_by_code.get(code)
        if channel is None:
            refused.setdefault(QuarantinedFrame.Reason.UNKNOWN_CHANNEL, {})[code] = raw
            continue
        if raw is None:
            failed[channel.pk] = flags
            continue
        # Ten times a frame: what is usual is seen by comparing, without a call.
        value = raw * channel.scale + channel.offset
        if raw < 0 or not channel.possible_low <= value <= channel.possible_high:
            reason = plausibility.doubt(raw, value, channel.quantity)
            if reason:
                refused.setdefault(reason, {})[code] = raw
                continue
        bits = flags if channel.low <= value <= channel.high else flags | Flag.OUT_OF_RANGE
        taken[channel.pk] = (value if value >= 1 else plausibility.storable(value), bits)
    for code, quality in one.frame.quality.items():
        _flag_quality(taken, channel_by_code.get(code), quality)
    haul.taken.append(_Taken(t, one.received_at, taken, failed))
    return [(reason, ", ".join(values), values) for reason, values in refused.items()]


def _flag_quality(taken: dict[int, Value], channel: KnownChannel | None, quality: str) -> None:
    """Note on a value what its controller says of it."""
    if channel is not None and quality == "cal" and channel.pk in taken:
        value, flags = taken[channel.pk]
        taken[channel.pk] = (value, flags | Flag.CALIBRATING)


def _complaint(
    one: ArrivedFrame, node: Node, reason: str, detail: str, values: dict[str, float | None]
) -> QuarantinedFrame:
    """Make the row out of the part of a frame that it is about."""
    frame = one.frame
    part = {"boot": frame.boot, "seq": frame.seq, "t": frame.t_ms, "up": frame.up_ms}
    kind = "tele/batch" if one.is_buffered else "tele"
    return quarantine_rows.complaint(
        topic=f"farm/v1/{node.greenhouse.code}/{node.name}/{kind}",
        payload=json.dumps(part | {"now": frame.now_ms, "m": values}).encode(),
        reason=reason,
        detail=detail,
        at=one.received_at,
        node=node,
    )


def _note_arrival(
    boot: BootSequence, ranges: sequences.Ranges, one: ArrivedFrame, t: datetime | None
) -> None:
    """Note on the boot's row (in memory) that a frame of it came."""
    if boot.last_frame_at is None:
        since_boot = timedelta(milliseconds=one.frame.now_ms or 0)
        boot.began_at = min(t or one.received_at, one.received_at) - since_boot
        if one.frame.t_ms is None:
            boot.began_at = one.received_at - since_boot
    boot.last_frame_at = max(boot.last_frame_at or one.received_at, one.received_at)
    if boot.counted_from is not None and boot.ranges and ranges[0][0] > boot.ranges[0][0]:
        boot.counted_from = ranges[0][0]  # of too many ranges the first was forgotten: not missing
    boot.ranges = ranges


def _write(haul: _Haul, newest_by_channel: dict[int, Newest], at: datetime) -> None:
    values_by_t = haul.values_by_t()
    reading_rows.insert(values_by_t=values_by_t)
    reading_rows.mark_dirty(channel_ids_by_t=values_by_t)
    reading_rows.note_newest(newest_by_channel=newest_by_channel)
    if haul.complaints:
        quarantine_rows.keep(complaints=haul.complaints, at=at)


def _write_boots(
    boots: dict[tuple[int, int], BootSequence],
    gap_before: dict[tuple[int, int], tuple[int, int] | None],
    at: datetime,
) -> None:
    for key, row in boots.items():
        gap = frame_gaps.first_gap(row)
        if gap is None:
            row.gap_seen_at = row.resend_asked_at = None
            row.resend_tries = 0
            continue
        if gap != gap_before[key]:
            row.resend_tries = 0  # what was asked for comes: the next is asked for as patiently
        if row.gap_seen_at is None:
            row.gap_seen_at = at
    rows = list(boots.values())
    # An insert that always meets its row: bulk_update writes a CASE for each field and row.
    BootSequence.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["node", "boot"],
        update_fields=[
            "ranges", "counted_from", "began_at", "last_frame_at", "gap_seen_at",
            "resend_asked_at", "resend_tries",
        ],
    )  # fmt: skip
