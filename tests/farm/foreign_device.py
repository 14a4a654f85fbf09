"""A valve that speaks Tasmota, by a clock that the test turns: it drops by itself."""

from datetime import datetime, timedelta

from common.mqtt_handlers import Message


class TasmotaValve:
    """Takes what the bridge publishes, and says what such a device says."""

    def __init__(self, topic: str, now: datetime) -> None:
        self.topic = topic
        self.now = now
        self.is_on = False
        self.off_at: datetime | None = None
        self.pulse_seconds = 0.0
        self.runs = 0
        self.on_seconds = 0.0
        self.is_deaf = False
        self.is_mute = False
        self.said: list[Message] = []
        self.heard: list[tuple[str, bytes, int, bool]] = []

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Stand in for the broker: hand our words to the device."""
        self.heard.append((topic, payload, qos, retain))
        if self.is_deaf or not topic.startswith(f"cmnd/{self.topic}/"):
            return
        if topic.endswith("/Backlog"):
            for order in payload.decode().split("; "):
                self._obey(*order.split(" "))
        else:
            self._obey(topic.rsplit("/", 1)[1], payload.decode())

    def pass_time(self, seconds: float) -> None:
        """Let time go by; the pulse timer switches off on its own."""
        end = self.now + timedelta(seconds=seconds)
        if self.is_on and self.off_at is not None and self.off_at <= end:
            self._pass(self.off_at)
            self._switch(is_on=False)
        self._pass(end)

    def take_words(self) -> list[Message]:
        words, self.said = self.said, []
        return words

    def say(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        self.said.append(Message(topic, payload, is_retained, self.now))

    def reboot(self) -> None:
        """Start anew with PowerOnState 0."""
        self._switch(is_on=False)

    def _pass(self, until: datetime) -> None:
        if self.is_on:
            self.on_seconds += (until - self.now).total_seconds()
        self.now = until

    def _obey(self, order: str, word: str) -> None:
        if order == "PulseTime1":
            number = int(word)
            self.pulse_seconds = number / 10 if number < 112 else number - 100
        elif order == "Power1":
            self._switch(is_on=word == "ON")

    def _switch(self, *, is_on: bool) -> None:
        if is_on:
            self.runs += 1
            self.off_at = self.now + timedelta(seconds=self.pulse_seconds)
        self.is_on = is_on
        if not self.is_mute:
            word = b"ON" if is_on else b"OFF"
            self.say(f"stat/{self.topic}/RESULT", b'{"POWER1":"%s"}' % word)
