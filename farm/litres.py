"""How litres are told of a run, whoever began it: the one way of counting for services and pages.

By a flow meter where there is one, else time times the flow that is expected, else unknown.
"""

from typing import NamedTuple

from django.db.models import Exists, OuterRef

from farm.models import Channel, Command, DeviceRun, Output

# Whether a row's own node has a flow meter: for annotate().
HAS_METER = Exists(
    Channel.objects.filter(node=OuterRef("node"), quantity=Channel.Quantity.FLOW, is_active=True)
)


class Litres(NamedTuple):
    """An amount, and whether a meter told it; `value` is None when nobody can tell."""

    value: float | None
    is_measured: bool


UNKNOWN = Litres(None, is_measured=False)


def expected_flow(output: Output) -> float | None:
    """Give the middle of the flow band in L/min, or the one end that is known."""
    ends = [end for end in (output.flow_low, output.flow_high) if end is not None]
    return sum(ends) / len(ends) if ends else None


def expected_litres(output: Output, seconds: float | None) -> Litres:
    """Reckon what so many seconds give."""
    flow = expected_flow(output)
    if seconds is None or flow is None:
        return UNKNOWN
    return Litres(flow * seconds / 60, is_measured=False)


def given_litres(command: Command, *, is_metered: bool) -> Litres:
    """Tell what a run that has ended gave. A 0 from a device without a meter says nothing."""
    if command.ran_litres is not None and (command.ran_litres > 0 or is_metered):
        return Litres(command.ran_litres, is_measured=True)
    seconds = command.ran_seconds
    if seconds is None:
        seconds = command.seconds if command.status == Command.Status.DONE else None
    return expected_litres(command.output, seconds) if command.output else UNKNOWN


def given_by_device(run: DeviceRun) -> Litres:
    """Tell what a run that began at the device gave, as it was counted last."""
    return Litres(run.litres, is_measured=run.is_measured)
