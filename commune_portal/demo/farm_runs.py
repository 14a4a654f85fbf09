"""The runs behind the demo's month: a command and a decision for each watering, as if lived."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from common.ids import ulid
from commune_portal.demo.farm_history import History, Watering
from farm.models import Command, Decision, Output, Rule, Zone

AT_ONCE: Final = 500
# So long a command takes to the valve and back.
ON_THE_WAY: Final = timedelta(seconds=1)
REASONS: Final[dict[str, str]] = {Rule.Kind.SCHEDULE: "time", Rule.Kind.LIGHT_SUM: "light_enough"}


def write_runs(history: History, zones: Sequence[Zone], outputs: Mapping[str, Output]) -> None:
    """Write what the programmes of the zones did, so that a day tells why there was water."""
    rules = {rule.zone_id: rule for rule in Rule.objects.filter(kind__in=REASONS, zone__in=zones)
             .exclude(outputs__kind=Output.Kind.PUMP)}  # fmt: skip
    commands, decisions = [], []
    for one in history.waterings:
        rule, output = rules[zones[one.number - 1].pk], outputs[f"valve-{one.number}"]
        command = _command(one, rule, output)
        commands.append(command)
        decisions.append(
            Decision(
                rule=rule,
                at=one.at,
                verdict=Decision.Verdict.ACT,
                reason=REASONS[rule.kind],
                facts=one.facts,
                generation=rule.generation,
                command=command,
            )
        )
    Command.objects.bulk_create(commands, batch_size=AT_ONCE)
    Decision.objects.bulk_create(decisions, batch_size=AT_ONCE)


def _command(one: Watering, rule: Rule, output: Output) -> Command:
    began = one.at + ON_THE_WAY
    return Command(
        id=ulid(),
        node_id=output.node_id,
        output=output,
        op=Command.Op.RUN,
        seconds=one.seconds,
        source=rule.kind,
        rule=rule,
        generation=rule.generation,
        status=Command.Status.DONE,
        created_at=one.at,
        expires_at=one.at + timedelta(seconds=15),
        sends=1,
        sent_at=one.at,
        last_sent_at=one.at,
        accepted_at=began,
        started_at=began,
        ended_at=began + timedelta(seconds=one.seconds),
        ran_seconds=one.seconds,
        ran_litres=one.litres,
    )
