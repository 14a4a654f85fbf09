"""Alarm limits that follow the growth stage of what grows in a zone."""

from datetime import date

import pytest

from farm.errors import BatchEntryRefusedError
from farm.models import AlarmLimit, Batch, Channel
from farm.services.batch_stages import apply_stage_targets, follow_stages
from tests.farm.factories import (
    make_batch,
    make_channel,
    make_greenhouse,
    make_limit,
    make_node,
    make_zone,
)

pytestmark = pytest.mark.django_db

FIRST_STAGE, SECOND_STAGE = date(2026, 11, 5), date(2026, 11, 15)
Q = Channel.Quantity


@pytest.fixture
def node():
    return make_node(greenhouse=make_greenhouse())


def zone_of(node):
    return make_zone(greenhouse=node.greenhouse, area_m2=20)


def limits():
    return {
        limit.channel.quantity: (limit.low, limit.high)
        for limit in AlarmLimit.objects.filter(follows_stage=True).select_related("channel")
    }


def test_the_limits_of_a_zone_become_those_of_the_stage(node):
    zone = zone_of(node)
    for quantity in (Q.EC, Q.PH, Q.AIR_TEMPERATURE, Q.WATER_TEMPERATURE, Q.RELATIVE_HUMIDITY):
        make_channel(node=node, zone=zone, quantity=quantity)
    make_channel(node=node, zone=zone_of(node), quantity=Q.EC)
    make_channel(node=node, zone=zone, quantity=Q.EC, is_active=False)

    apply_stage_targets(batch=make_batch(zone=zone), day=FIRST_STAGE)

    assert AlarmLimit.objects.count() == 4  # the stage says nothing about humidity
    assert limits() == {
        Q.EC: (0.8, 1.2),
        Q.PH: (5.8, 6.3),
        Q.AIR_TEMPERATURE: (19, 24),
        Q.WATER_TEMPERATURE: (None, 25),
    }


def test_the_next_stage_moves_the_limits_and_keeps_what_people_changed(node):
    zone = zone_of(node)
    channel = make_channel(node=node, zone=zone, quantity=Q.EC)
    batch = make_batch(zone=zone)
    apply_stage_targets(batch=batch, day=FIRST_STAGE)
    AlarmLimit.objects.update(is_enabled=False, delay_seconds=42)
    own = make_limit(channel=channel, high=3.0)

    apply_stage_targets(batch=batch, day=SECOND_STAGE)

    moved = AlarmLimit.objects.get(follows_stage=True)
    assert (moved.low, moved.high, moved.is_enabled, moved.delay_seconds) == (1.2, 1.8, False, 42)
    own.refresh_from_db()
    assert (own.low, own.high) == (None, 3.0)


def test_a_stage_that_says_nothing_takes_its_limit_away(node):
    zone = zone_of(node)
    make_channel(node=node, zone=zone, quantity=Q.EC)
    batch = make_batch(zone=zone)
    apply_stage_targets(batch=batch, day=FIRST_STAGE)
    batch.profile.stages.filter(position=2).update(ec_low=None, ec_high=None)

    apply_stage_targets(batch=batch, day=SECOND_STAGE)

    assert not AlarmLimit.objects.exists()


def test_a_sensor_of_the_whole_house_follows_only_while_nothing_else_grows_there(node):
    zone = zone_of(node)
    make_channel(node=node, zone=None, quantity=Q.AIR_TEMPERATURE)
    batch = make_batch(zone=zone)
    apply_stage_targets(batch=batch, day=FIRST_STAGE)
    assert limits() == {Q.AIR_TEMPERATURE: (19, 24)}
    AlarmLimit.objects.update(high=99)
    make_batch(zone=zone_of(node))

    apply_stage_targets(batch=batch, day=FIRST_STAGE)

    assert limits() == {Q.AIR_TEMPERATURE: (19, 99)}


def test_without_a_stage_there_is_nothing_to_follow(node):
    batch = make_batch(zone=zone_of(node))

    with pytest.raises(BatchEntryRefusedError):
        apply_stage_targets(batch=batch, day=date(2026, 10, 31))


def test_the_daily_job_moves_only_batches_that_were_asked_to_follow(node):
    asked, quiet = zone_of(node), zone_of(node)
    for zone in (asked, quiet):
        make_channel(node=node, zone=zone, quantity=Q.EC)
    apply_stage_targets(batch=make_batch(zone=asked), day=FIRST_STAGE)
    make_batch(zone=quiet)

    moved = [follow_stages(day=SECOND_STAGE), follow_stages(day=SECOND_STAGE)]

    assert moved == [1, 1]
    limit = AlarmLimit.objects.get()
    assert (limit.channel.zone, limit.low, limit.high) == (asked, 1.2, 1.8)


@pytest.mark.parametrize("is_beside", [False, True])
def test_a_batch_in_soil_ends_the_limits_of_the_tank_unless_another_one_lives_in_it(
    node, is_beside
):
    zone = zone_of(node)
    for quantity in (Q.EC, Q.AIR_TEMPERATURE):
        make_channel(node=node, zone=zone, quantity=quantity)
    before = make_batch(zone=zone)
    apply_stage_targets(batch=before, day=FIRST_STAGE)
    if not is_beside:
        Batch.objects.filter(pk=before.pk).update(ended_date=FIRST_STAGE)

    apply_stage_targets(batch=make_batch(zone=zone, method="soil"), day=SECOND_STAGE)

    assert set(limits()) == ({Q.EC, Q.AIR_TEMPERATURE} if is_beside else {Q.AIR_TEMPERATURE})
