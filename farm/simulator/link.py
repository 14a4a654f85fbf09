"""A link that treats messages as a village's radio does: loses, doubles, delays, swaps, breaks."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad it is; shares are probabilities for each message."""

    lost: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    most_delay_ms: int = 20_000
    usual_delay_ms: int = 0


CALM = Weather()
ROUGH = Weather(lost=0.1, doubled=0.1, delayed=0.2, usual_delay_ms=50)


@dataclass(slots=True)
class Link(Generic[Message]):
    """One direction. Each message gets its own delay, so a later one may overtake."""

    seed: int = 0
    weather: Weather = CALM
    is_up: bool = True
    _waiting: list[tuple[int, int, Message]] = field(default_factory=list)
    _sent: int = 0
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(f"link {self.seed}")  # noqa: S311  # bad luck, not a secret

    def send(self, message: Message, *, at_ms: int) -> None:
        """Put a message on its way, or lose it."""
        if not self.is_up or self._dice.random() < self.weather.lost:
            return
        copies = 2 if self._dice.random() < self.weather.doubled else 1
        for _ in range(copies):
            self._sent += 1
            self._waiting.append((at_ms + self._delay_ms(), self._sent, message))

    def due(self, *, at_ms: int) -> Iterator[Message]:
        """Hand over what has arrived, in the order of arrival."""
        if not self._waiting:
            return
        arrived = sorted(
            (entry for entry in self._waiting if entry[0] <= at_ms), key=lambda entry: entry[:2]
        )
        self._waiting = [entry for entry in self._waiting if entry[0] > at_ms]
        for _arrival, _number, message in arrived:
            yield message

    def next_ms(self) -> int | None:
        """Tell when the next message will arrive."""
        return min((entry[0] for entry in self._waiting), default=None)

    def cut(self) -> None:
        """Break the connection; what is on its way is lost."""
        self.is_up = False
        self._waiting.clear()

    def mend(self) -> None:
        self.is_up = True

    def _delay_ms(self) -> int:
        if self._dice.random() < self.weather.delayed:
            return self._dice.randint(0, self.weather.most_delay_ms)
        return self.weather.usual_delay_ms
