"""What a controller should keep as its config: a level, published retained until it is kept."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from farm import local_config, outgoing
from farm.models import AlarmLimit, Channel, Greenhouse, Node, NodeConfig, Output, Rule

Publish = Callable[[str, bytes, int, bool], None]

# A retained message reaches whoever subscribes; this is for a broker that lost it.
AGAIN_AFTER = timedelta(seconds=60)
# Locks that run out and limits that people change are looked for this far back; what a bridge
# that was away has missed comes with the births that it then hears again.
LOOK_BACK = timedelta(seconds=60)
# What a refresh writes; other words of a config stay.
_REBUILT = ("estop", "limits", "setpoints", "schedule")


@transaction.atomic
def change_config(*, node: Node, at: datetime, **level: Any) -> NodeConfig:
    """Set these words of a controller's config; `rev` grows when that changes anything."""
    config = _lock(node, at=at)
    return _write(config, {**config.document, **level}, at=at)


@transaction.atomic
def refresh_config(*, node: Node, at: datetime) -> NodeConfig:
    """Write anew what a controller may do alone, and whether its house is stopped.

    `rev` grows only when that changes anything.
    """
    config = _lock(node, at=at)
    # Read behind the lock: whoever stops the house meanwhile writes after us.
    house = Greenhouse.objects.get(pk=node.greenhouse_id)
    kept = {key: word for key, word in config.document.items() if key not in _REBUILT}
    return _write(config, {**kept, "estop": house.is_stopped, **_level_of(node, at=at)}, at=at)


@transaction.atomic
def refresh_configs(*, outputs: Iterable[Output], at: datetime) -> None:
    """Refresh the config of each controller that one of these outputs belongs to."""
    ids = {output.node_id for output in outputs}
    for node in Node.objects.filter(pk__in=ids).order_by("pk"):
        refresh_config(node=node, at=at)


def _lock(node: Node, *, at: datetime) -> NodeConfig:
    """Lock the config, and its controller first, as everybody does."""
    Node.objects.select_for_update(no_key=True).get(pk=node.pk)
    NodeConfig.objects.get_or_create(node=node, defaults={"changed_at": at})
    return NodeConfig.objects.select_for_update(no_key=True).get(node=node)


def _write(config: NodeConfig, document: dict[str, Any], *, at: datetime) -> NodeConfig:
    if config.rev and document == config.document:
        return config
    config.document = document
    return _raise_rev(config, rev=config.rev + 1, at=at)


def _level_of(node: Node, *, at: datetime) -> dict[str, Any]:
    rules = (
        Rule.objects.filter(is_enabled=True, outputs__node=node)
        .select_related("sensor")
        .prefetch_related("outputs")
        .distinct()
        .order_by("pk")
    )
    lows = (
        (_sensor(limit.channel), limit.low)
        for limit in AlarmLimit.objects.filter(
            channel__node=node,
            channel__is_active=True,
            channel__quantity=Channel.Quantity.TANK_VOLUME,
            is_enabled=True,
            low__isnull=False,
        ).select_related("channel")
    )
    return local_config.level_of(
        [_programme(rule, node, at=at) for rule in rules],
        tank_lows=[sensor.as_sent(low) for sensor, low in lows if low is not None],
        utc_offset=timezone.localtime(at).utcoffset() or timedelta(0),
    )


def _programme(rule: Rule, node: Node, *, at: datetime) -> local_config.Programme:
    sensor = rule.sensor
    is_ours = sensor is not None and sensor.node_id == node.pk and sensor.is_active
    return local_config.Programme(
        kind=rule.kind,
        parameters=rule.parameters,
        switches=tuple(
            local_config.Switch(
                output.code, output.max_seconds, _may_run_alone(output, node, at=at)
            )
            for output in rule.outputs.all()
        ),
        sensor=_sensor(sensor) if sensor is not None and is_ours else None,
    )


def _sensor(channel: Channel) -> local_config.Sensor:
    return local_config.Sensor(channel.code, channel.scale, channel.offset)


def _may_run_alone(output: Output, node: Node, *, at: datetime) -> bool:
    """Tell whether programmes may have it while nobody watches: not what waters or doses."""
    return (
        output.node_id == node.pk
        and output.is_active
        and output.fail == Output.Fail.LOCAL
        and output.kind not in (Output.Kind.VALVE, Output.Kind.DOSER)
        and output.lock_at(at) == Output.Lock.AUTO
    )


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
    _refresh_due(at=at)
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
            outgoing.config_payload({**config.document, "rev": config.rev}),
            1,
            True,  # noqa: FBT003  # QoS 1, retained: a node that was away gets it too
        )
    return len(configs)


def _refresh_due(*, at: datetime) -> None:
    """Refresh where a lock has run out, or somebody has changed or dropped a limit of a tank."""
    lows = AlarmLimit.objects.filter(
        channel__quantity=Channel.Quantity.TANK_VOLUME, is_enabled=True, low__isnull=False
    )
    nodes = Node.objects.filter(
        Q(
            pk__in=Output.objects.exclude(lock=Output.Lock.AUTO)
            .filter(lock_until__gt=at - LOOK_BACK, lock_until__lte=at)
            .values("node")
        )
        | Q(
            pk__in=AlarmLimit.objects.filter(
                channel__quantity=Channel.Quantity.TANK_VOLUME, updated_at__gt=at - LOOK_BACK
            ).values("channel__node")
        )
        | Q(config__document__limits__has_key="tank_low") & ~Q(pk__in=lows.values("channel__node")),
        protocol=Node.Protocol.FARM_V1,
    )
    for node in nodes.order_by("pk"):
        refresh_config(node=node, at=at)
