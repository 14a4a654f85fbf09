"""What goes into and comes out of the farm's API (docs/openapi-farm.yaml)."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from farm import explain
from farm.models import Alarm, Batch, Channel, Command, Node, Output, Zone
from farm.selectors import api as selectors

KEY_PATTERN = r"^[\x21-\x7e]{1,60}$"
LONGEST_SECONDS = 86_400


class FieldProblem(serializers.Serializer[object]):
    field = serializers.CharField()
    detail = serializers.CharField()


class FarmProblemOut(serializers.Serializer[object]):
    """RFC 9457 problem document. Programs read `code`, people read `detail`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    trace_id = serializers.CharField()
    interlock = serializers.CharField(required=False, help_text="Which interlock holds it back.")
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]  # a field of the document, not DRF's property


class ZoneOut(serializers.Serializer[object]):
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Zone.Kind.values)


class NodeOut(serializers.Serializer[object]):
    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # a field of the answer, not DRF's
    protocol = serializers.ChoiceField(choices=Node.Protocol.values)
    is_online = serializers.BooleanField()
    heard_at = serializers.DateTimeField(allow_null=True)


class LatestValueOut(serializers.Serializer[object]):
    """A channel's newest value. Where `is_stale` is true it is not how things are now."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    node = serializers.CharField()
    zone = serializers.CharField(allow_null=True)
    quantity = serializers.ChoiceField(choices=Channel.Quantity.values)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not DRF's
    unit = serializers.CharField(allow_blank=True)
    value = serializers.FloatField(allow_null=True, help_text="null: the sensor failed.")
    measured_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.IntegerField(allow_null=True)
    is_stale = serializers.BooleanField(
        help_text="Too old, never measured, failed, or its controller is away."
    )
    flags = serializers.IntegerField(
        help_text="1 time estimated, 2 sent later, 4 while calibrating, 8 outside what is sensible."
    )


class GreenhouseOut(serializers.Serializer[object]):
    code = serializers.CharField()
    name = serializers.CharField()
    is_stopped = serializers.BooleanField(help_text="The emergency stop holds.")
    zones = ZoneOut(many=True)
    nodes = NodeOut(many=True)
    channels = LatestValueOut(many=True)


class GreenhousesOut(serializers.Serializer[object]):
    greenhouses = GreenhouseOut(many=True)


class Moment(serializers.DateTimeField):
    """A time of readings: not before 1970, and not at the end of the calendar."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if not 1970 <= value.year < 9999:
            self.fail("overflow")
        return super().enforce_timezone(value)


class PointsIn(serializers.Serializer[object]):
    """Which readings of a channel are wanted; the last day's without a word."""

    level = serializers.ChoiceField(choices=list(selectors.LEVELS), default=selectors.RAW)
    since = Moment(required=False, help_text="A day before `until` by default.")
    until = Moment(required=False, help_text="Exclusive; now by default.")

    def span(self, *, now: datetime) -> tuple[datetime, datetime]:
        """Give the span asked for, from and until."""
        asked: dict[str, Any] = self.validated_data
        until = asked.get("until", now)
        return asked.get("since", until - timedelta(days=1)), until

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"since": _("This is not before the end.")})
        return attrs


class PointOut(serializers.Serializer[object]):
    """One reading, or a bucket of them with its beginning and its mean as value."""

    t = serializers.DateTimeField()
    value = serializers.FloatField()
    n = serializers.IntegerField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    last = serializers.FloatField()
    flags = serializers.IntegerField()


class PointsOut(serializers.Serializer[object]):
    channel = serializers.IntegerField()
    level = serializers.ChoiceField(choices=list(selectors.LEVELS))
    unit = serializers.CharField(allow_blank=True)
    points = PointOut(many=True)
    next_since = serializers.DateTimeField(
        allow_null=True, help_text="Where to go on; null when that was all."
    )


class OutputOut(serializers.Serializer[object]):
    """Something that can be switched, as its device last told."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    node = serializers.CharField(source="node.name")
    zone = serializers.CharField(source="zone.code", default=None, allow_null=True)
    kind = serializers.ChoiceField(choices=Output.Kind.values)
    label = serializers.CharField(source="__str__")  # type: ignore[assignment]  # a field of the answer, not DRF's
    max_seconds = serializers.IntegerField(help_text="The longest run that the device takes.")
    is_on = serializers.BooleanField(allow_null=True)
    state_at = serializers.DateTimeField(allow_null=True)
    state_heard_at = serializers.DateTimeField(allow_null=True)
    is_dimmable = serializers.BooleanField(help_text="Its strength can be set.")
    percent = serializers.FloatField(
        source="state_level", allow_null=True, help_text="How strong it is, where it says so."
    )
    flow = serializers.FloatField(source="state_flow", allow_null=True, help_text="L/min.")
    lock = serializers.ChoiceField(choices=Output.Lock.values)
    lock_until = serializers.DateTimeField(allow_null=True)
    acknowledges = serializers.BooleanField(
        source="node.acknowledges", help_text="false: the device only shows its state."
    )


class OutputsOut(serializers.Serializer[object]):
    outputs = OutputOut(many=True)


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction: "5" and true are none, and may be somebody's mistake."""

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class OutputSwitchIn(serializers.Serializer[object]):
    """What an output is told; a run and a strength always have their seconds."""

    op = serializers.ChoiceField(
        choices=[Command.Op.RUN.value, Command.Op.SET.value, Command.Op.STOP.value]
    )
    seconds = WholeNumberField(required=False, min_value=1, max_value=LONGEST_SECONDS)
    litres = serializers.FloatField(
        required=False,
        min_value=0.1,
        max_value=100_000,
        help_text="Ends the run earlier, where the device has a flow meter.",
    )

    percent = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=100,
        help_text="Only for `set`: how strong it is while it is on. Switches nothing on.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["op"] == Command.Op.RUN and "seconds" not in attrs:
            raise serializers.ValidationError({"seconds": _("A run needs its seconds.")})
        wanted = {"op", "seconds", "percent"}
        if (attrs["op"] == Command.Op.SET) != ("percent" in attrs) or (
            attrs["op"] == Command.Op.SET and set(attrs) != wanted
        ):
            raise serializers.ValidationError(
                {"percent": _("To set a strength takes percent and seconds, and nothing else.")}
            )
        if attrs["op"] == Command.Op.STOP and len(attrs) > 1:
            raise serializers.ValidationError({"op": _("A stop takes neither seconds nor litres.")})
        return attrs


class CalibrationIn(serializers.Serializer[object]):
    """What solution a probe stands in."""

    value = serializers.FloatField(help_text="pH, or EC in mS/cm, as it stands on the bottle.")


class CommandStepOut(serializers.Serializer[object]):
    step = serializers.CharField(
        help_text="queued, sent, accepted, started, done, aborted, rejected, expired, unknown …"
    )
    at = serializers.DateTimeField()
    device_time = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(allow_blank=True)


class CommandOut(serializers.Serializer[object]):
    """A command and what became of it, by the device's own words."""

    id = serializers.CharField(source="command.pk")
    output = serializers.IntegerField(source="command.output_id", allow_null=True)
    channel = serializers.IntegerField(source="command.channel_id", allow_null=True)
    op = serializers.ChoiceField(source="command.op", choices=Command.Op.values)
    seconds = serializers.IntegerField(source="command.seconds", allow_null=True)
    litres = serializers.FloatField(source="command.litres", allow_null=True)
    value = serializers.FloatField(
        source="command.value",
        allow_null=True,
        help_text="Of `set`: percent. Of `calibrate`: in the sensor's own measure.",
    )
    source = serializers.ChoiceField(source="command.source", choices=Command.Source.values)  # type: ignore[assignment]  # a field of the answer, not DRF's
    status = serializers.ChoiceField(source="command.status", choices=Command.Status.values)
    why = serializers.CharField(source="command.why", allow_blank=True)
    created_at = serializers.DateTimeField(source="command.created_at")
    expires_at = serializers.DateTimeField(source="command.expires_at")
    ended_at = serializers.DateTimeField(source="command.ended_at", allow_null=True)
    ran_seconds = serializers.FloatField(source="command.ran_seconds", allow_null=True)
    ran_litres = serializers.FloatField(source="command.ran_litres", allow_null=True)
    steps = CommandStepOut(many=True)


class AlarmsIn(serializers.Serializer[object]):
    state = serializers.ChoiceField(choices=["open", "all"], default="open")
    greenhouse = serializers.SlugField(required=False)
    before = serializers.IntegerField(
        required=False, min_value=1, help_text="Only alarms with a smaller id: the next page."
    )


class AlarmOut(serializers.Serializer[object]):
    id = serializers.IntegerField()
    greenhouse = serializers.CharField(source="greenhouse.code")
    kind = serializers.CharField()
    severity = serializers.ChoiceField(choices=Alarm.Severity.values)
    words = serializers.SerializerMethodField(help_text="What it says, in Vietnamese.")
    zone = serializers.CharField(source="zone.code", default=None, allow_null=True)
    channel = serializers.IntegerField(source="channel_id", allow_null=True)
    output = serializers.IntegerField(source="output_id", allow_null=True)
    opened_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    times = serializers.IntegerField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(allow_null=True)
    cleared_at = serializers.DateTimeField(allow_null=True)

    def get_words(self, alarm: Alarm) -> str:
        return explain.alarm_words(alarm)


class AlarmsOut(serializers.Serializer[object]):
    alarms = AlarmOut(many=True)


class Figure(serializers.FloatField):
    """A sum or a ratio, without the digits that only the computer has made."""

    def to_representation(self, value: float) -> Any:
        return round(float(value), 3)


class BatchOut(serializers.Serializer[object]):
    """A batch with its figures so far; null where nobody has noted anything."""

    code = serializers.CharField(source="batch.code")
    greenhouse = serializers.CharField(source="batch.zone.greenhouse.code")
    zone = serializers.CharField(source="batch.zone.code")
    crop = serializers.CharField(source="batch.profile.code")
    variety = serializers.CharField(source="batch.variety", allow_blank=True)
    method = serializers.ChoiceField(source="batch.method", choices=Batch.Method.values)
    status = serializers.ChoiceField(source="batch.status", choices=Batch.Status.values)
    area_m2 = serializers.FloatField(source="batch.area_m2")
    plants = serializers.IntegerField(source="batch.plants")
    sown_date = serializers.DateField(source="batch.sown_date")
    transplanted_date = serializers.DateField(source="batch.transplanted_date", allow_null=True)
    ended_date = serializers.DateField(source="batch.ended_date", allow_null=True)
    stage = serializers.CharField(source="stage.name", default=None, allow_null=True)
    day_number = serializers.IntegerField(help_text="Days since it was sown.")
    first_harvest_date = serializers.DateField(source="figures.first_harvest", allow_null=True)
    kg = Figure(source="figures.kg", allow_null=True, help_text="Fit for sale.")
    kg_per_m2 = Figure(source="figures.kg_per_m2", allow_null=True)
    litres = Figure(source="figures.litres", allow_null=True)
    hours = Figure(source="figures.hours", allow_null=True)
    cost_vnd = serializers.IntegerField(source="figures.cost_vnd", allow_null=True)
    revenue_vnd = serializers.IntegerField(source="figures.revenue_vnd", allow_null=True)


class BatchesIn(serializers.Serializer[object]):
    state = serializers.ChoiceField(choices=["growing", "ended"], default="growing")


class BatchesOut(serializers.Serializer[object]):
    batches = BatchOut(many=True)


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    pattern=KEY_PATTERN,
    description="The caller's id, required but for a stop: a repeat gets the same command.",
)


def problems(sentence_by_status: dict[int, str]) -> dict[tuple[int, str], OpenApiResponse]:
    """Give the problem documents of a call, with those that every call may answer."""
    everywhere = {
        401: "No valid key, and not signed in",
        403: "Not one of the cooperative's members, or the CSRF token is missing",
        429: "Too many calls; see Retry-After",
    }
    return {
        (status, "application/problem+json"): OpenApiResponse(FarmProblemOut, description=sentence)
        for status, sentence in sorted((everywhere | sentence_by_status).items())
    }


READ = problems({})
READ_WITH_INPUT = problems({400: "Malformed"})
READ_ONE = problems({404: "There is no such thing"})
READ_POINTS = problems({400: "Malformed", 404: "There is no such thing"})
COMMAND = problems(
    {
        400: "Malformed",
        404: "There is no such thing",
        409: "An interlock or a lock holds it back",
        413: "More than one call may send",
        415: "Not application/json",
        422: "Longer than the device takes, busy, or the key stands for another command",
    }
)
