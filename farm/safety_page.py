"""The safety table as a page for people: docs/farm-safety.md, which a test holds equal to it."""

from farm.safety import ROWS, RULES, SWITCHING, Deed, Row, Source, Verdict

_COLUMNS = ("person", "api", "rules", "safety", "system")
_SIGN = {Verdict.ALLOW: "yes", Verdict.WARN: "warned", Verdict.BLOCK: "**no**"}
_HEAD = """# What holds an output back, and from whom

Made of `farm/safety.py` by `farm.safety_page`; a test keeps it so. Every command for an output is
held against this table when it is asked for. The emergency stop, the lock and the rule's own
version are looked at once more when it is sent.

- *yes*: the interlock does not matter to this source. *warned*: it goes through, and the command's
  story says against which interlock. **no**: refused, with the interlock's name.
- *rules* are `schedule`, `light_sum`, `hysteresis` and `dosing`; where they differ, they are named.
- *water* is to run a valve or a pump, *cool* a fan, *light* a lamp; *dose* is what a doser does.
  To set the strength of a fan or a lamp (`set`) is held back by all that holds back its run.
  *Switching* is all of these, and whatever else an output can be told but to stop.
- Stopping (`stop`, `stop_all`) and asking (`ping`, `resend`) are kept from nobody, but for the one
  row that says so.
- *calibrate* shifts what a probe shows. It switches nothing, so that an emergency stop or a lock
  does not matter to it; only people may ask, by hand or by their own program. No programme goes by
  a probe that somebody has in hand.
- A fact that is missing (a tank that says nothing, no cap set, no proof of circulation) is
  `fact_unknown`: unsafe for whatever acts by itself, a warning for a person who is there.
- `mixing_wait` is reckoned from the end of the last dose or run of fresh water into the same tank,
  by the clock. A feeding programme waits longer: it counts only the time in which the water moved
  and somebody looked. It learns what a ml does, adds small doses into much water together until a
  probe can tell, and locks itself when they had no effect.

| interlock | for | person | api | rules | safety | system | why | why not for all |
|---|---|---|---|---|---|---|---|---|
"""


def safety_page() -> str:
    """Write the whole page."""
    return _HEAD + "".join(map(_line, ROWS))


def _line(row: Row) -> str:
    cells = [row.interlock, _deeds(row), *(_cell(row, name) for name in _COLUMNS)]
    return f"| {' | '.join([*cells, row.why, row.why_not_all])} |\n"


def _deeds(row: Row) -> str:
    if row.deeds >= SWITCHING:
        return ", ".join(("switching", *(deed for deed in Deed if deed in row.deeds - SWITCHING)))
    return ", ".join(deed for deed in Deed if deed in row.deeds)


def _cell(row: Row, column: str) -> str:
    if column != "rules":
        return _SIGN[row.verdict_for(Source(column))]
    verdicts = {source: row.verdict_for(source) for source in Source if source in RULES}
    if len(set(verdicts.values())) == 1:
        return _SIGN[next(iter(verdicts.values()))]
    return ", ".join(f"{source}: {_SIGN[verdict]}" for source, verdict in verdicts.items())
