"""Keeping Home Assistant's descriptions of the controllers at the broker as the rows say.

What has been published is remembered by this process only: the first look after a start publishes
all anew, which is what a broker without memory needs, and harmless to any other. What lies at the
broker for a controller that is no longer in service is heard, as all of it is, and taken away.
"""

from collections.abc import Sequence

from django.conf import settings

from common.mqtt_handlers import Handler, Message
from common.pumps import Publish, Pump
from farm import discovery
from farm.discovery import Controller, Sensor, Switch
from farm.models import Node

LOOK_EVERY_SECONDS = 5


class Descriptions:
    """What this process has published, by node."""

    def __init__(self) -> None:
        self._payload_by_node: dict[str, bytes] = {}

    def take_many(self, messages: Sequence[Message]) -> None:
        """Publish all anew when Home Assistant starts; note whose descriptions the broker has."""
        for message in messages:
            node = discovery.node_of(message.topic)
            if message.topic == discovery.STATUS_TOPIC and message.payload == b"online":
                self._payload_by_node.clear()
            elif node and message.payload:
                self._payload_by_node.setdefault(node, message.payload)

    def publish_changes(self, publish: Publish) -> None:
        """Publish what is new or changed, and take away what is no longer in service."""
        wanted = {
            controller.node: discovery.payload(controller)
            for controller in controllers_in_service()
        }
        for node in sorted(self._payload_by_node.keys() | wanted.keys()):
            payload = wanted.get(node, b"")
            if self._payload_by_node.get(node) == payload:
                continue
            publish(discovery.config_topic(node), payload, 1, True)  # noqa: FBT003 - QoS 1, retained
            self._payload_by_node[node] = payload
        # What is empty has been taken away.
        self._payload_by_node = {node: p for node, p in self._payload_by_node.items() if p}


def controllers_in_service() -> list[Controller]:
    """Describe the farm/v1 controllers of greenhouses in use, once born. Three queries."""
    nodes = (
        Node.objects.filter(
            protocol=Node.Protocol.FARM_V1, greenhouse__is_active=True, born_at__isnull=False
        )
        .select_related("greenhouse")
        .prefetch_related("channels", "outputs")
        .order_by("name")
    )
    return [_controller(node) for node in nodes]


def _controller(node: Node) -> Controller:
    channels = sorted(node.channels.all(), key=lambda channel: channel.pk)
    outputs = sorted(node.outputs.all(), key=lambda output: output.pk)
    return Controller(
        house=node.greenhouse.code,
        node=node.name,
        name=node.label or node.greenhouse.name,
        maker=settings.PORTAL_NAME,
        firmware=node.firmware,
        sensors=[
            Sensor(
                one.code,
                one.quantity,
                one.unit,
                one.stale_seconds,
                one.label,
                scale=one.scale,
                offset=one.offset,
            )
            for one in channels
            if one.is_active
        ],
        switches=[Switch(one.code, one.label) for one in outputs if one.is_active],
    )


DESCRIPTIONS = Descriptions()
HANDLERS = (
    Handler(
        topic=discovery.STATUS_TOPIC,
        take_many=DESCRIPTIONS.take_many,
        levels=(discovery.STATUS_TOPIC,),
    ),
    Handler(
        topic=discovery.CONFIG_TOPICS,
        take_many=DESCRIPTIONS.take_many,
        levels=(discovery.CONFIG_TOPICS,),
    ),
)
PUMPS = (Pump(LOOK_EVERY_SECONDS, DESCRIPTIONS.publish_changes),)
