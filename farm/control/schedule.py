"""Programmes by the clock: at times of the day, every so many minutes, by the sun."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from farm.control import sequence, together
from farm.control.plan import Memory, Plan, Snapshot, Verdict, measures_nothing, moment
from farm.control.settings import SettingsReader
from farm.sun import sun_of_day

DAYS_AHEAD = 8
DAY_SECONDS = 86_400
LOOK_AT_LEAST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again within a part of the day."""

    minutes: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class SunTime:
    """So many minutes after the sun's coming or going; before it where they are negative."""

    event: str  # sunrise, sunset
    offset_minutes: int

    @property
    def side(self) -> str:
        """Tell on which side of the sun's coming or going it lies: at, before or after it."""
        if not self.offset_minutes:
            return "at"
        return "before" if self.offset_minutes < 0 else "after"


@dataclass(frozen=True, slots=True)
class Settings:
    """When to run, and for how long."""

    weekdays: frozenset[int]  # 1 Monday … 7 Sunday
    times: tuple[time, ...]
    every: Every | None
    sun: tuple[SunTime, ...]
    seconds: int | None
    litres: float | None
    # A start that was missed by more is left out: a server that was away catches nothing up.
    skip_after_minutes: int
    is_together: bool
    order: tuple[str, ...]
    pause_seconds: int


def parse(raw: object) -> Settings:
    """Read the settings strictly; raises SettingsError with every mistake."""
    reader = SettingsReader(raw)
    weekdays = reader.many(
        "weekdays", lambda name, value: reader.read_number(name, value, low=1, high=7)
    )
    settings = Settings(
        weekdays=frozenset(int(day) for day in weekdays) or frozenset(range(1, 8)),
        times=tuple(sorted(set(reader.many("times", reader.read_time)))),
        every=_every(reader),
        sun=reader.many("sun", lambda name, value: _sun(reader, name, value)),
        seconds=reader.integer("seconds", None, low=1, high=86_400),
        litres=reader.number("litres", None, low=0.1, high=100_000),
        skip_after_minutes=reader.integer("skip_after_minutes", 10, low=1, high=180),
        is_together=reader.flag("together", default=False),
        order=reader.many("order", lambda _name, value: str(value)),
        pause_seconds=reader.integer("pause_seconds", 5, low=0, high=3600),
    )
    if not (settings.times or settings.every or settings.sun):
        reader.complain("times", "missing")
    if settings.seconds is None and settings.litres is None:
        reader.complain("seconds", "missing")
    reader.finish()
    return settings


def _every(reader: SettingsReader) -> Every | None:
    inside = reader.part("every")
    if inside is None:
        return None
    every = Every(
        minutes=inside.integer("minutes", low=1, high=720) or 1,
        start=inside.clock("from") or time.min,
        end=inside.clock("to") or time.max,
    )
    if every.start > every.end:
        inside.complain("to", "too_early")
    inside.leave_nothing()
    return every


def _sun(reader: SettingsReader, name: str, value: Any) -> SunTime:
    inside = SettingsReader(value, prefix=f"{name}.")
    inside.problems, reader.problems[:] = reader.problems, [*reader.problems, *inside.problems]
    sun = SunTime(
        event=inside.choice("event", "", ("sunrise", "sunset")),
        offset_minutes=inside.integer("offset_minutes", 0, low=-300, high=300) or 0,
    )
    inside.leave_nothing()
    return sun


def decide(settings: Settings, memory: Memory, snapshot: Snapshot) -> Plan:
    """Run at the newest start that has come and is not too old; once for each start."""
    snapshot = replace(snapshot, switches=sequence.in_order(snapshot.switches, settings.order))
    if sequence.is_running(memory):
        return sequence.proceed(memory, snapshot)
    if together.is_waiting(memory):
        plan = together.proceed(memory, snapshot)
        if plan is not None:
            return plan
        memory = together.forget(memory)
    return _by_clock(settings, memory, snapshot)


def _by_clock(settings: Settings, memory: Memory, snapshot: Snapshot) -> Plan:
    now = snapshot.now
    done_until = moment(memory, "done_until") or now
    due = [start for start in _starts(settings, snapshot, done_until, now) if start > done_until]
    next_look_at = _next_look(settings, snapshot)
    if not due:
        memory = {**memory, "done_until": done_until.isoformat()}
        return Plan(Verdict.SKIP, "not_due", memory, next_look_at=next_look_at)
    start = due[-1]
    memory = {**memory, "done_until": start.isoformat()}
    facts = {"start": start.isoformat(), "missed": len(due) - 1}
    if now - start > timedelta(minutes=settings.skip_after_minutes):
        facts["missed"] = len(due)
        return Plan(Verdict.SKIP, "missed", memory, facts, next_look_at=next_look_at)
    if measures_nothing(snapshot, seconds=settings.seconds, litres=settings.litres):
        return Plan(Verdict.BLOCKED, "no_measure", memory, facts, next_look_at=next_look_at)
    reason, more = _why(settings, snapshot, start)
    plan = Plan(Verdict.ACT, reason, memory, facts | more, next_look_at=next_look_at)
    return _run(plan, settings, snapshot, name=f"{start:%Y%m%d%H%M}")


def _run(plan: Plan, settings: Settings, snapshot: Snapshot, *, name: str) -> Plan:
    if not settings.is_together:
        return sequence.begin(
            plan,
            snapshot,
            name=name,
            seconds=settings.seconds,
            litres=settings.litres,
            pause_seconds=settings.pause_seconds,
            patience_minutes=settings.skip_after_minutes,
        )
    begun = together.begin(
        plan,
        snapshot,
        name=name,
        seconds=settings.seconds,
        litres=settings.litres,
        patience_minutes=settings.skip_after_minutes,
    )
    # An interlock may open within the patience of this start: until then it is tried again.
    start = datetime.fromisoformat(plan.memory["done_until"])
    refused = {**plan.memory, "done_until": (start - timedelta(seconds=1)).isoformat()}
    return replace(begun, refused_memory=refused)


def _why(settings: Settings, snapshot: Snapshot, start: datetime) -> tuple[str, dict[str, int]]:
    """Tell whether a start is the sun's (before_sunrise …), how far from it, or the clock's."""
    for by_sun, wanted in _by_sun(settings, snapshot, start.date()):
        if by_sun == start:
            return f"{wanted.side}_{wanted.event}", {"minutes": abs(wanted.offset_minutes)}
    return "time", {}


def shortest_gap_seconds(settings: Settings) -> int | None:
    """Tell how soon after a start by the clock the next one comes; None where there is but one."""
    starts = {_seconds_of(clock) for clock in settings.times}
    if settings.every is not None:
        first, last = _seconds_of(settings.every.start), _seconds_of(settings.every.end)
        starts |= set(range(first, last + 1, 60 * settings.every.minutes))
    in_order = sorted(starts)
    gaps = [after - before for before, after in pairwise(in_order)]
    if in_order and any(day % 7 + 1 in settings.weekdays for day in settings.weekdays):
        gaps.append(in_order[0] + DAY_SECONDS - in_order[-1])
    return min(gaps, default=None)


def _seconds_of(clock: time) -> int:
    return 3600 * clock.hour + 60 * clock.minute + clock.second


def next_start(settings: Settings, snapshot: Snapshot) -> datetime | None:
    """Give the next start after this moment; None where the coming days have none."""
    now = snapshot.now
    ahead = _starts(settings, snapshot, now, now + timedelta(days=DAYS_AHEAD))
    return next((start for start in ahead if start > now), None)


def _next_look(settings: Settings, snapshot: Snapshot) -> datetime:
    now = snapshot.now
    start = next_start(settings, snapshot)
    # Settings, places and clocks change: look again from time to time whatever comes.
    return min(start or now + LOOK_AT_LEAST, now + LOOK_AT_LEAST)


def _starts(
    settings: Settings, snapshot: Snapshot, after: datetime, until: datetime
) -> Iterator[datetime]:
    """Go through the starts of the days from `after` to `until`, in order."""
    day = max(after, until - timedelta(days=DAYS_AHEAD)).date()
    while day <= until.date():
        if day.isoweekday() in settings.weekdays:
            starts = sorted(set(_starts_of_day(settings, snapshot, day)))
            yield from (start for start in starts if start <= until)
        day += timedelta(days=1)


def _starts_of_day(settings: Settings, snapshot: Snapshot, day: date) -> Iterator[datetime]:
    zone = snapshot.now.tzinfo
    for clock in settings.times:
        yield datetime.combine(day, clock, tzinfo=zone)
    if settings.every is not None:
        start = datetime.combine(day, settings.every.start, tzinfo=zone)
        end = datetime.combine(day, settings.every.end, tzinfo=zone)
        while start <= end:
            yield start
            start += timedelta(minutes=settings.every.minutes)
    yield from (start for start, _wanted in _by_sun(settings, snapshot, day))


def _by_sun(
    settings: Settings, snapshot: Snapshot, day: date
) -> Iterator[tuple[datetime, SunTime]]:
    zone = snapshot.now.tzinfo
    latitude, longitude = snapshot.latitude_degrees, snapshot.longitude_degrees
    if not settings.sun or latitude is None or longitude is None or zone is None:
        return
    sun = sun_of_day(day, latitude_degrees=latitude, longitude_degrees=longitude, zone=zone)
    if sun is None:
        return
    for wanted in settings.sun:
        moment_of_sun = sun.rises_at if wanted.event == "sunrise" else sun.sets_at
        start = moment_of_sun + timedelta(minutes=wanted.offset_minutes)
        yield start.replace(second=0, microsecond=0), wanted
