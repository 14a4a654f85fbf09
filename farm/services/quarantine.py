"""Keeping what could not be believed, and no more of it than somebody can look through."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from farm.json_fields import storable
from farm.models import Node, QuarantinedFrame

logger = logging.getLogger(__name__)
MOST_BYTES = 4096
# A day's worth; a broken controller would fill the disk with the same complaint.
MOST_PER_NODE = 200
MOST_OF_STRANGERS = 1000
DAY = timedelta(days=1)

_left_out: Counter[int | None] = Counter()


def complaint(
    *, topic: str, payload: bytes, reason: str, detail: str, at: datetime, node: Node | None = None
) -> QuarantinedFrame:
    """Make the row, cut to size, without writing it."""
    return QuarantinedFrame(
        node=node,
        topic=storable(topic)[:200],
        payload=payload[:MOST_BYTES],
        size=len(payload),
        reason=reason,
        detail=storable(detail)[:200],
        received_at=at,
    )


@transaction.atomic
def keep(*, complaints: Sequence[QuarantinedFrame], at: datetime) -> int:
    """Write down complaints as far as each node's day has room; tell how many."""
    kept: list[QuarantinedFrame] = []
    for node_id in sorted({one.node_id for one in complaints}, key=lambda one: one or 0):
        of_node = [one for one in complaints if one.node_id == node_id]
        most = MOST_OF_STRANGERS if node_id is None else MOST_PER_NODE
        of_whom = Q(node__isnull=True) if node_id is None else Q(node=node_id)
        today = QuarantinedFrame.objects.filter(of_whom, received_at__gt=at - DAY)
        room = max(0, most - today.count())
        kept += of_node[:room]
        _count_left_out(node_id, len(of_node[room:]))
    QuarantinedFrame.objects.bulk_create(kept)
    return len(kept)


def _count_left_out(node_id: int | None, number: int) -> None:
    """Say now and then how many were not kept: one line for each would be the same flood."""
    before = _left_out[node_id]
    _left_out[node_id] += number
    if len(str(_left_out[node_id])) > len(str(before)) or (number and not before):
        logger.warning(
            "quarantine of node %s is full: %d messages not kept", node_id, _left_out[node_id]
        )
