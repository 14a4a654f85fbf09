"""What may become of a command: its states, the device's words, and the time-outs of farm/v1.

The device's words come in any order, doubled, late, and after the end. `sent` and what follows is
only believed from the device; a state that is proven is never left again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """The states of a command (the values of Command.Status)."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    STARTED = "started"
    DONE = "done"
    ABORTED = "aborted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


PROVEN = frozenset({State.DONE, State.ABORTED, State.REJECTED, State.EXPIRED})
ENDED = PROVEN | {State.UNKNOWN}
# An output really did something, or may have.
ACTED = frozenset({State.DONE, State.ABORTED})
_RANK = {State.QUEUED: 0, State.SENT: 1, State.ACCEPTED: 2, State.STARTED: 3}
_WORDS = frozenset({State.ACCEPTED, State.STARTED}) | PROVEN
DUPLICATE = "duplicate"

# farm/v1 §3, "Timeouts".
ACCEPTED_WITHIN = timedelta(seconds=5)
RESEND_AFTER = (timedelta(seconds=5), timedelta(seconds=15))
STARTED_WITHIN = timedelta(seconds=10)
DONE_WITHIN = timedelta(seconds=15)  # after the seconds that it runs
# A device that was restarted tells what its memory says of the command; else it was broken off.
REBOOT_TOLD_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Step:
    """What a word makes of a state; `is_news` is False for what changes nothing."""

    state: State
    is_news: bool


def after_word(state: State, word: str, *, last: str = "") -> Step:
    """Take a device's word: `accepted`, `started`, an end, or `duplicate` with its last word.

    >>> after_word(State.SENT, "started")
    Step(state=<State.STARTED: 'started'>, is_news=True)
    >>> after_word(State.DONE, "started")
    Step(state=<State.DONE: 'done'>, is_news=False)
    >>> after_word(State.SENT, "duplicate", last="done").state
    <State.DONE: 'done'>
    """
    if word == DUPLICATE:
        # A device that knows the id has taken it, whatever else it forgot to say.
        word = last if last in _WORDS else State.ACCEPTED
    if word not in _WORDS or not _may_follow(State(word), state):
        return Step(state, is_news=False)
    return Step(State(word), is_news=True)


def _may_follow(word: State, state: State) -> bool:
    if state in PROVEN:
        return False
    if state == State.UNKNOWN:
        return word in PROVEN
    if word in (State.REJECTED, State.EXPIRED):
        # What was taken cannot be refused any more: such a word is about a second copy.
        return _RANK[state] < _RANK[State.ACCEPTED]
    return word in PROVEN or _RANK[word] > _RANK[state]


class Due(StrEnum):
    """What a command needs now because time has passed."""

    NOTHING = "nothing"
    EXPIRE = "expire"
    RESEND = "resend"
    GIVE_UP = "give_up"
    BROKEN_OFF = "broken_off"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command has come; `runs` tells a run or dose from what ends at once."""

    state: State
    expires_at: datetime
    runs: bool
    run_seconds: float = 0.0
    sends: int = 0
    sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    accepted_at: datetime | None = None
    started_at: datetime | None = None
    # When the device was born anew after it had taken the command; None when it was not.
    rebooted_at: datetime | None = None


def due(progress: Progress, at: datetime) -> Due:
    """Tell what time asks for; a pure function of the row and the clock."""
    if progress.state == State.QUEUED:
        return Due.EXPIRE if at >= progress.expires_at else Due.NOTHING
    if progress.state == State.SENT:
        return _due_when_sent(progress, at)
    if progress.state not in (State.ACCEPTED, State.STARTED):
        return Due.NOTHING
    if progress.rebooted_at is not None:
        told_until = max(progress.rebooted_at, _last_heard(progress)) + REBOOT_TOLD_WITHIN
        return Due.BROKEN_OFF if at >= told_until else Due.NOTHING
    return Due.GIVE_UP if at >= _last_heard(progress) + _patience(progress) else Due.NOTHING


def _due_when_sent(progress: Progress, at: datetime) -> Due:
    first, last = progress.sent_at, progress.last_sent_at
    if first is None or last is None:
        return Due.NOTHING
    if at >= progress.expires_at:
        return Due.GIVE_UP if at >= last + ACCEPTED_WITHIN else Due.NOTHING
    waits = RESEND_AFTER[progress.sends - 1 : progress.sends]
    return Due.RESEND if waits and at >= first + waits[0] else Due.NOTHING


def _last_heard(progress: Progress) -> datetime:
    heard = progress.started_at if progress.state == State.STARTED else progress.accepted_at
    return heard or progress.last_sent_at or progress.expires_at


def _patience(progress: Progress) -> timedelta:
    if progress.runs and progress.state == State.ACCEPTED:
        return STARTED_WITHIN
    return timedelta(seconds=progress.run_seconds) + DONE_WITHIN
