"""What ingest must know of channels, for all controllers of a batch at once."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from farm import plausibility
from farm.models import Channel


@dataclass(slots=True)
class KnownChannel:
    """What is to be known of a channel to store its values; a model would cost more than a row."""

    pk: int
    code: str
    quantity: str
    scale: float
    offset: float
    low: float
    high: float
    possible_low: float
    possible_high: float


Channels = dict[int, dict[str, KnownChannel]]  # by node, by code


def of_nodes(node_ids: Iterable[int]) -> Channels:
    """Look up the channels of these controllers, by code. One query."""
    channels: Channels = {node_id: {} for node_id in node_ids}
    for node_id, pk, code, quantity, scale, offset, low, high in Channel.objects.filter(
        node_id__in=channels
    ).values_list("node_id", "pk", "code", "quantity", "scale", "offset", "low", "high"):
        channels[node_id][code] = KnownChannel(
            pk, code, quantity, scale, offset,
            -math.inf if low is None else low, math.inf if high is None else high,
            *plausibility.POSSIBLE.get(quantity, plausibility.ANYTHING),
        )  # fmt: skip
    return channels
