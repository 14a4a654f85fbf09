"""What a controller should keep as its config: a level, published retained until it is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from farm import frames
from farm.models import Node, NodeConfig

Publish = Callable[[str, bytes, int, bool], None]

# A retained message reaches whoever subscribes; this is for a broker that lost it.
AGAIN_AFTER = timedelta(seconds=60)


@transaction.atomic
def change_config(*, node: Node, at: datetime, **level: Any) -> NodeConfig:
    """Set these words of a controller's config; `rev` grows when that changes anything."""
    NodeConfig.objects.get_or_create(node=node, defaults={"changed_at": at})
    config = NodeConfig.objects.select_for_update(no_key=True).get(node=node)
    document = {**config.document, **level}
    if config.rev and document == config.document:
        return config
    config.document = document
    return _raise_rev(config, rev=config.rev + 1, at=at)


@transaction.atomic
def take_known_rev(*, node: Node, rev: int, at: datetime) -> None:
    """Note which config a controller has in its memory, as its birth says.

    One that is ahead of us has seen configs that we have lost: ours must get a higher number.
    """
    config = NodeConfig.objects.select_for_update(no_key=True).get(node=node)
    if rev > config.rev:
        _raise_rev(config, rev=rev + 1, at=at)
    Node.objects.filter(pk=node.pk).update(config_acked_rev=rev)


def _raise_rev(config: NodeConfig, *, rev: int, at: datetime) -> NodeConfig:
    config.rev = rev
    config.changed_at = at
    config.save()
    Node.objects.filter(pk=config.node_id).update(config_rev=config.rev)
    return config


def publish_due(*, publish: Publish, at: datetime) -> int:
    """Publish each config that its controller has not got yet; answer how many."""
    with transaction.atomic(durable=True):
        configs = list(
            NodeConfig.objects.filter(
                Q(published_rev__lt=F("rev"))
                | Q(
                    published_at__lte=at - AGAIN_AFTER,
                    node__is_online=True,
                )
                & ~Q(node__config_acked_rev=F("rev")),
                node__protocol=Node.Protocol.FARM_V1,
            )
            .select_related("node__greenhouse")
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .order_by("pk")
        )
        for config in configs:
            config.published_rev, config.published_at = config.rev, at
            config.save(update_fields=["published_rev", "published_at"])
    for config in configs:
        node = config.node
        publish(
            f"farm/v1/{node.greenhouse.code}/{node.name}/cfg",
            frames.config_payload({**config.document, "rev": config.rev}),
            1,
            True,  # noqa: FBT003  # QoS 1, retained: a node that was away gets it too
        )
    return len(configs)
