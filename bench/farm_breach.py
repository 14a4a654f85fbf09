"""From a value beyond a limit to the fan's command on the wire, one programme for each sensor."""

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench import farm_load, farm_peers
from bench.farm_load import HOUSE, Frame

if TYPE_CHECKING:
    from bench.bench_farm import Stage

TOO_HOT = 45.0
SETTINGS = {"on_at": 40.0, "off_at": 35.0, "least_on_seconds": 60, "least_off_seconds": 0}
HOT = tuple(f"h{number}" for number in range(5))  # channels that only breaches carry
EVERY = 25  # frames from one breach to the next: 20 breaches a second


def waits(stage: "Stage", way: str, seconds: int) -> list[float]:
    """Breach each limit once while frames come steadily; answer the seconds to each command."""
    stage.reset()
    make_programmes(stage)
    listener = _Listener(stage.port)
    ingester = stage.ingester(way)
    ingester.watches = True
    with farm_peers.running(ingester):
        stage.warm_up(way)
        sent: dict[tuple[str, str], float] = {}
        targets = [(node, code) for code in HOT for node in farm_load.node_names()]
        publisher = farm_load.Publisher(stage.port, "breach")

        def breach(number: int, frame: Frame) -> None:
            if number % EVERY or not targets:
                return
            node, code = targets.pop()
            sent[node, code] = time.monotonic()
            text = json.dumps(
                {
                    "t": int(time.time() * 1000) + 1,
                    "boot": 2,
                    "seq": stage.seq + number,
                    "m": {code: TOO_HOT},
                }
            )
            publisher.send([(frame.topic.replace(frame.node, node), text.encode())])

        from bench.bench_farm import steady  # noqa: PLC0415  # it imports this module's user

        steady(stage, seconds, breach)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and len(listener.heard) < len(sent):
            time.sleep(0.05)
        publisher.close()
    listener.close()
    missing = len(sent) - len(listener.heard)
    if missing:
        print(f"  {way}: {missing} of {len(sent)} breaches brought no command", flush=True)
    return [listener.heard[key] - moment for key, moment in sent.items() if key in listener.heard]


def make_programmes(stage: "Stage") -> None:
    """Give each channel of the corpus a fan and a programme, as if its controller were there."""
    from django.utils import timezone  # noqa: PLC0415  # after setup

    from farm.models import Channel, Node, Output, Rule, Zone  # noqa: PLC0415

    now = timezone.now()
    Node.objects.update(is_online=True, heard_at=now, boot=1, born_at=now, status_at=now)
    if not Rule.objects.exists():
        for node in Node.objects.filter(greenhouse__code=HOUSE).order_by("pk"):
            zone = Zone.objects.create(greenhouse=node.greenhouse, code=node.name, name=node.name)
            for code in HOT:
                sensor = Channel.objects.create(
                    node=node, zone=zone, code=code, quantity=Channel.Quantity.AIR_TEMPERATURE
                )
                fan = Output.objects.create(
                    node=node, zone=zone, code=f"fan-{code}", kind=Output.Kind.FAN,
                    max_seconds=86_400, fail=Output.Fail.LOCAL, is_on=False, state_at=now,
                    state_heard_at=now,
                )  # fmt: skip
                rule = Rule.objects.create(
                    zone=zone, name=fan.code, kind=Rule.Kind.HYSTERESIS, sensor=sensor,
                    parameters=SETTINGS,
                )  # fmt: skip
                rule.outputs.add(fan)
    with stage.sql.cursor() as cursor:
        # They refuse to be emptied; here nothing was promised to anybody.
        cursor.execute("SET session_replication_role = replica")
        # Alarms too: nobody here answers a ping, and who is deaf is sent no command.
        past = "farm_decision, farm_commandevent, farm_command, farm_alarm"
        cursor.execute(f"TRUNCATE {past} CASCADE")
        cursor.execute("SET session_replication_role = origin")
    Rule.objects.update(memory={}, looked_at=None, next_look_at=None)


class _Listener:
    """Hears the commands on the wire and when each fan's first came."""

    def __init__(self, port: int) -> None:
        self.heard: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bench-listener")
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe("farm/v1/+/+/cmd", qos=1)

    def _on_message(self, _client: Client, _userdata: Any, message: Any) -> None:
        command = json.loads(message.payload)
        if command.get("op") == "run":
            key = (message.topic.split("/")[3], command["out"].removeprefix("fan-"))
            with self._lock:
                self.heard.setdefault(key, time.monotonic())
