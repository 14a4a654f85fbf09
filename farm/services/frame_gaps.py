"""Frames that did not arrive: what is missing of a boot, and asking for it again."""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction

from common.errors import DomainError
from farm import sequences
from farm.models import BootSequence, Node
from farm.services import commands

logger = logging.getLogger(__name__)
GAP_PATIENCE = timedelta(seconds=10)  # farm/v1 §3: resend after 10 s
MOST_RESEND_TRIES = 5
MOST_GAPS_AT_ONCE = 4


@transaction.atomic
def expect_frames(*, node: Node, boot: int, first: int, at: datetime) -> None:
    """Note which frame comes next when a controller first tells of a boot.

    Frames that are lost before the first one arrives are told by it. Later births of the same
    boot do not count.
    """
    row, _ = BootSequence.objects.get_or_create(node=node, boot=boot, defaults={"began_at": at})
    if row.counted_from is None:
        BootSequence.objects.filter(pk=row.pk, counted_from=None).update(counted_from=first)


@transaction.atomic
def ask_for_gaps(*, at: datetime) -> int:
    """Ask controllers for frames that have been missing for ten seconds; tell how many ranges.

    After five tries, each after twice the time, what is missing is taken for lost.
    """
    rows = (
        BootSequence.objects.select_related("node")
        .select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked, of=("self",)
        )
        .filter(gap_seen_at__lte=at - GAP_PATIENCE, node__is_online=True)
        .order_by("node_id", "boot")
    )
    return sum(_ask(row, at) for row in rows if _is_due(row, at))


def first_gap(row: BootSequence) -> tuple[int, int] | None:
    """Find the first range that is missing and not yet taken for lost."""
    return next(iter(_missing(row)), None)


def _missing(row: BootSequence) -> list[tuple[int, int]]:
    """List what is missing of a boot's frames and not yet taken for lost."""
    found = sequences.gaps(sequences.from_json(row.ranges), since=row.counted_from)
    return [gap for gap in found if gap[1] > row.lost_up_to]


def _is_due(row: BootSequence, at: datetime) -> bool:
    return row.resend_asked_at is None or (
        row.resend_asked_at + GAP_PATIENCE * 2**row.resend_tries <= at
    )


def _ask(row: BootSequence, at: datetime) -> int:
    """Ask for the missing ranges of one boot, or give them up."""
    missing = _missing(row)
    asked, later = missing[:MOST_GAPS_AT_ONCE], missing[MOST_GAPS_AT_ONCE:]
    if row.resend_tries >= MOST_RESEND_TRIES:
        row.lost_up_to = asked[-1][1]
        row.gap_seen_at = at if later else None
        row.resend_asked_at = None
        row.resend_tries = 0
        logger.warning("node %s: frames %s of boot %d are lost", row.node.name, asked, row.boot)
        asked = []
    else:
        row.resend_asked_at = at
        row.resend_tries += 1
    row.save(update_fields=["lost_up_to", "gap_seen_at", "resend_asked_at", "resend_tries"])
    return sum(_ask_again(row, first, last, at) for first, last in asked)


def _ask_again(row: BootSequence, first: int, last: int, at: datetime) -> bool:
    try:
        commands.request_resend(node=row.node, first=first, last=last, boot=row.boot, at=at)
    except DomainError as error:
        logger.info("no resend asked of %s: %s", row.node.name, error.code)
        return False
    return True
