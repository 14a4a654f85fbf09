"""Which of the times that a controller tells can be believed."""

from datetime import UTC, datetime, timedelta

# Clocks of controllers begin in 1970; nothing here was built before this.
CLOCK_SANE_FROM = datetime(2024, 1, 1, tzinfo=UTC)
CLOCK_AHEAD_AT_MOST = timedelta(minutes=5)


def said_moment(t_ms: int | None, *, at: datetime) -> datetime:
    """Give the controller's own time where it is sane, a little ahead of ours if need be.

    The same message gives the same moment whenever it comes.
    """
    if t_ms is None:
        return at
    moment = datetime.fromtimestamp(t_ms / 1000, UTC)
    return moment if CLOCK_SANE_FROM <= moment <= at + CLOCK_AHEAD_AT_MOST else at


def device_moment(t_ms: int | None, *, at: datetime) -> datetime:
    """Give the controller's time where it has a sane clock, else the time of arrival."""
    return min(said_moment(t_ms, at=at), at)
