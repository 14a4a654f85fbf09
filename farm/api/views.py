"""The farm's API for the cooperative's own programs: what the pages show, and the same buttons."""

import math
import re
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from farm.api import auth, content, problems, serializers
from farm.api.auth import MemberRequest
from farm.errors import IdempotencyKeyReusedError
from farm.models import Alarm, Command, Output
from farm.selectors import api as selectors
from farm.selectors import batches, calibration, charts, dashboard
from farm.services import alarms, commands

KEY = re.compile(serializers.KEY_PATTERN)
MOST_ROWS = 200


# Without docstrings, these classes: they would stand below each call in the public description.
class FarmView(APIView):
    authentication_classes = (auth.TokenAuthentication, auth.SessionAuthentication)
    permission_classes = (auth.IsFarmMember,)
    throttle_classes = (auth.PerPerson,)
    parser_classes = (content.JsonBody,)
    content_negotiation_class = content.AlwaysJson

    def get_exception_handler(self) -> Callable[..., HttpResponse]:
        return problems.answer_problem


class GreenhousesView(FarmView):
    @extend_schema(
        operation_id="list_greenhouses",
        summary="Greenhouses with their newest values",
        responses={200: serializers.GreenhousesOut, **serializers.READ},
    )
    def get(self, request: MemberRequest) -> Response:
        houses = selectors.houses_now(dashboard.active_houses(), at=timezone.now())
        return Response(serializers.GreenhousesOut({"greenhouses": houses}).data)


class GreenhouseView(FarmView):
    @extend_schema(
        operation_id="get_greenhouse",
        summary="One greenhouse with its newest values",
        responses={200: serializers.GreenhouseOut, **serializers.READ_ONE},
    )
    def get(self, request: MemberRequest, code: str) -> Response:
        house = get_object_or_404(dashboard.active_houses(), code=code)
        here = dashboard.active_houses().filter(pk=house.pk)
        (now,) = selectors.houses_now(here, at=timezone.now())
        return Response(serializers.GreenhouseOut(now).data)


class ReadingsView(FarmView):
    @extend_schema(
        operation_id="list_readings",
        summary="Readings of a channel, or their rollups",
        description=(
            "At most 5,000 points, oldest first; go on from `next_since`. Buckets of 1 min to 1 d "
            "are computed anew as late readings come."
        ),
        parameters=[serializers.PointsIn],
        responses={200: serializers.PointsOut, **serializers.READ_POINTS},
    )
    def get(self, request: MemberRequest, channel_id: int) -> Response:
        channel = get_object_or_404(charts.chartable_channels(), pk=channel_id)
        asked = serializers.PointsIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        since, until = asked.span(now=timezone.now())
        level = asked.validated_data["level"]
        found = selectors.points_of(channel, level, since=since, until=until)
        # Five thousand points through a serializer would take most of a second.
        return Response(
            {
                "channel": channel.pk,
                "level": level,
                "unit": channel.unit,
                "points": [point._asdict() for point in found.points],
                "next_since": found.next_from,
            }
        )


class OutputsView(FarmView):
    @extend_schema(
        operation_id="list_outputs",
        summary="What can be switched in a greenhouse, as the devices last told",
        responses={200: serializers.OutputsOut, **serializers.READ_ONE},
    )
    def get(self, request: MemberRequest, code: str) -> Response:
        house = get_object_or_404(dashboard.active_houses(), code=code)
        outputs = selectors.outputs_of(house)
        return Response(serializers.OutputsOut({"outputs": outputs}).data)


class OutputCommandsView(FarmView):
    permission_classes = (auth.IsFarmViewer,)

    @extend_schema(
        operation_id="create_command",
        summary="Let an output run for so many seconds, set its strength, or stop it",
        description=(
            "The same interlocks hold as for any program. The answer is the command's row: ask "
            "for it again until its status is done, aborted, rejected, expired or unknown."
        ),
        parameters=[serializers.IDEMPOTENCY_KEY],
        request=serializers.OutputSwitchIn,
        responses={202: serializers.CommandOut, **serializers.COMMAND},
    )
    def post(self, request: MemberRequest, output_id: int) -> Response:
        output = get_object_or_404(dashboard.switchable_outputs(), pk=output_id)
        asked = serializers.OutputSwitchIn(data=request.data)
        asked.is_valid(raise_exception=True)
        if asked.validated_data["op"] != Command.Op.STOP:
            auth.refuse_viewers(request)
        command = SWITCHES[asked.validated_data["op"]](request, output, asked.validated_data)
        return accepted(command)


class CalibrationsView(FarmView):
    @extend_schema(
        operation_id="calibrate_channel",
        summary="Let a pH or EC probe show the value of the solution that it stands in",
        description=(
            "From then on, programmes leave the probe alone for ten minutes. The answer is the "
            "command's row: ask for it again until its status is done, rejected, expired or "
            "unknown."
        ),
        parameters=[serializers.IDEMPOTENCY_KEY],
        request=serializers.CalibrationIn,
        responses={202: serializers.CommandOut, **serializers.COMMAND},
    )
    def post(self, request: MemberRequest, channel_id: int) -> Response:
        channel = get_object_or_404(calibration.probes(), pk=channel_id)
        asked = serializers.CalibrationIn(data=request.data)
        asked.is_valid(raise_exception=True)
        command = commands.request_calibrate(
            channel=channel,
            value=asked.validated_data["value"],
            source=Command.Source.API,
            at=timezone.now(),
            by=request.user,
            caller_key=key_of(request),
        )
        shown = (command.value or 0) * channel.scale + channel.offset
        if not math.isclose(shown, asked.validated_data["value"]):
            raise IdempotencyKeyReusedError(_("This key already stands for another command."))
        return accepted(command)


def accepted(command: Command) -> Response:
    """Answer with a command's row, and where to ask for it again."""
    answer = serializers.CommandOut(selectors.command_now(command)).data
    where = reverse("farm_api_command", args=[command.pk])
    return Response(answer, status=202, headers={"Location": where})


def stop(request: MemberRequest, output: Output, asked: dict[str, Any]) -> Command:
    """Stop the output; a stop needs no key."""
    return commands.request_stop(
        output=output, source=Command.Source.API, at=timezone.now(), by=request.user, why="api"
    )


def set_strength(request: MemberRequest, output: Output, asked: dict[str, Any]) -> Command:
    """Ask for a strength under the caller's own key."""
    command = commands.request_set(
        output=output,
        percent=asked["percent"],
        seconds=asked["seconds"],
        source=Command.Source.API,
        at=timezone.now(),
        by=request.user,
        caller_key=key_of(request),
    )
    if (command.seconds, command.value) != (asked["seconds"], asked["percent"]):
        raise IdempotencyKeyReusedError(_("This key already stands for another command."))
    return command


def run(request: MemberRequest, output: Output, asked: dict[str, Any]) -> Command:
    """Ask for the run under the caller's own key; one key stands for one run."""
    command = commands.request_run(
        output=output,
        seconds=asked["seconds"],
        litres=asked.get("litres"),
        source=Command.Source.API,
        at=timezone.now(),
        by=request.user,
        caller_key=key_of(request),
    )
    if (command.seconds, command.litres) != (asked["seconds"], asked.get("litres")):
        raise IdempotencyKeyReusedError(_("This key already stands for another command."))
    return command


SWITCHES: dict[str, Callable[[MemberRequest, Output, dict[str, Any]], Command]] = {
    Command.Op.RUN: run,
    Command.Op.SET: set_strength,
    Command.Op.STOP: stop,
}


def key_of(request: MemberRequest) -> str:
    """Give the command's key: the caller's own, among those of this person."""
    return f"api:{request.user.pk}:{idempotency_key(request)}"


def idempotency_key(request: MemberRequest) -> str:
    """Read the Idempotency-Key header (IETF draft-06: missing is 400)."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not KEY.match(key):
        raise drf.ValidationError(
            {"Idempotency-Key": _("Send Idempotency-Key: 1 to 60 printable ASCII characters.")}
        )
    return str(key)


class CommandView(FarmView):
    @extend_schema(
        operation_id="get_command",
        summary="What became of a command",
        responses={200: serializers.CommandOut, **serializers.READ_ONE},
    )
    def get(self, request: MemberRequest, command_id: str) -> Response:
        command = get_object_or_404(selectors.commands(), pk=command_id)
        return Response(serializers.CommandOut(selectors.command_now(command)).data)


class AlarmsView(FarmView):
    @extend_schema(
        operation_id="list_alarms",
        summary="Alarms, the newest first",
        description="At most 200; go on with `before`.",
        parameters=[serializers.AlarmsIn],
        responses={200: serializers.AlarmsOut, **serializers.READ_WITH_INPUT},
    )
    def get(self, request: MemberRequest) -> Response:
        asked = serializers.AlarmsIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = selectors.alarms(**asked.validated_data)
        return Response(serializers.AlarmsOut({"alarms": found[:MOST_ROWS]}).data)


class AcknowledgementView(FarmView):
    permission_classes = (auth.IsFarmViewer,)

    @extend_schema(
        operation_id="acknowledge_alarm",
        summary="Note that somebody has seen an alarm; nobody else is told of it then",
        request=None,
        responses={200: serializers.AlarmOut, **serializers.READ_ONE},
    )
    def post(self, request: MemberRequest, alarm_id: int) -> Response:
        alarm: Alarm = get_object_or_404(selectors.alarms(state="all"), pk=alarm_id)
        alarms.acknowledge(alarm=alarm, by=request.user, at=timezone.now())
        seen = selectors.alarms(state="all").get(pk=alarm.pk)
        return Response(serializers.AlarmOut(seen).data)


class BatchesView(FarmView):
    @extend_schema(
        operation_id="list_batches",
        summary="Batches with their figures so far",
        parameters=[serializers.BatchesIn],
        responses={200: serializers.BatchesOut, **serializers.READ_WITH_INPUT},
    )
    def get(self, request: MemberRequest) -> Response:
        asked = serializers.BatchesIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        is_growing = asked.validated_data["state"] == "growing"
        found = batches.growing_batches() if is_growing else batches.ended_batches()
        rows = batches.rows_of(list(found[:MOST_ROWS]), on=timezone.localdate())
        return Response(serializers.BatchesOut({"batches": rows}).data)


class BatchView(FarmView):
    @extend_schema(
        operation_id="get_batch",
        summary="One batch with its figures so far",
        responses={200: serializers.BatchOut, **serializers.READ_ONE},
    )
    def get(self, request: MemberRequest, code: str) -> Response:
        batch = get_object_or_404(batches.batches(), code=code)
        (row,) = batches.rows_of([batch], on=timezone.localdate())
        return Response(serializers.BatchOut(row).data)


@extend_schema(exclude=True)
class NowhereView(FarmView):  # any other address: a problem document, and no page
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404
