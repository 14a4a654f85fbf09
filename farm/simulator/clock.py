"""The clocks that controllers have in the field: right, missing, unset, wrong, jumping."""

from dataclasses import dataclass

HOUR_MS = 3_600_000
# How far a clock may be from the server's tick before the tick is believed instead.
BELIEVED_WITHIN_MS = 60_000
VARIANTS = ("ntp", "none", "1970", "+3h", "back")


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """Tells a controller's idea of the time of day, or None where it has none.

    Durations never use it: they are counted from the boot, so a clock that jumps cannot keep a
    valve open.
    """

    variant: str = "ntp"

    def t_ms(self, *, real_ms: int, up_ms: int) -> int | None:
        """Read the clock.

        >>> DeviceClock("+3h").t_ms(real_ms=1_767_225_600_000, up_ms=5_000)
        1767236400000
        >>> DeviceClock("1970").t_ms(real_ms=1_767_225_600_000, up_ms=5_000)
        5000
        """
        match self.variant:
            case "none":
                return None
            case "1970":
                return up_ms
            case "+3h":
                return real_ms + 3 * HOUR_MS
            case "back":  # ten minutes back at each odd hour after the boot
                return real_ms - (600_000 if (up_ms // HOUR_MS) % 2 else 0)
            case _:
                return real_ms

    @property
    def name(self) -> str:
        """What the birth message calls it; a wrong clock does not know that it is wrong."""
        return {"none": "none", "1970": "rtc"}.get(self.variant, "ntp")
