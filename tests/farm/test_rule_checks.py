"""Programmes that cannot work are refused; those that may be meant are asked about once."""

import html
import re
from datetime import time

import pytest
from django.urls import reverse

from farm.control import schedule
from farm.errors import RuleInvalidError
from farm.models import Channel, Output, Rule
from farm.services import automation
from farm.services.rule_checks import doubts_of
from tests.farm.controllers import make_house
from tests.farm.factories import (
    NOON,
    make_channel,
    make_node,
    make_output,
    make_rule,
    make_user,
    make_zone,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
FEED = {"ec": {"low": 1.6, "target": 1.8, "high": 2.0}, "most_ml": 100, "daily_ml": 1000}
COOL = {"on_at": 30.0, "off_at": 28.0}


class Rack:
    """A rack with a tank: a probe, dosers, a fan, a valve and a thermometer."""

    def __init__(self, greenhouse=None):
        place = {"greenhouse": greenhouse} if greenhouse else {}
        self.zone = make_zone(daily_dose_cap_ml=3000.0, **place)
        self.node = make_node(greenhouse=self.zone.greenhouse)
        self.ec = make_channel(node=self.node, zone=self.zone, quantity=Channel.Quantity.EC)
        self.air = make_channel(node=self.node, zone=self.zone)
        self.a, self.b = self.output("doser", dose_kind="a"), self.output("doser", dose_kind="b")
        self.fan, self.valve = self.output("fan", label="Quạt 1"), self.output("valve")

    def output(self, kind, **fields):
        return make_output(node=self.node, zone=self.zone, kind=Output.Kind(kind), **fields)

    def feed(self, *outputs, **changes):
        fields = {"kind": "dosing", "parameters": FEED, "sensor": self.ec, "name": "Châm phân"}
        return make_rule(zone=self.zone, outputs=outputs or (self.a, self.b), **fields | changes)

    def cool(self, **changes):
        fields = {"kind": "hysteresis", "parameters": COOL, "sensor": self.air, "name": "Quạt"}
        return make_rule(**{"zone": self.zone, "outputs": [self.fan]} | fields | changes)


@pytest.fixture
def rack():
    return Rack()


def refused(make, *args, **changes):
    with pytest.raises(RuleInvalidError) as caught:
        make(*args, **changes)
    return [(one["field"], one["code"]) for one in caught.value.facts["errors"]]


def doubts(rule):
    found = doubts_of(rule, list(rule.outputs.order_by("pk")))
    return [(doubt.field, doubt.code, dict(doubt.facts)) for doubt in found]


def test_a_second_feeding_programme_with_the_same_pumps_is_refused_and_names_the_first(rack):
    rack.feed()
    other = Rack(rack.zone.greenhouse)

    with pytest.raises(RuleInvalidError) as caught:
        other.feed(rack.a, rack.b, name="Châm lần hai")

    assert [(one["field"], one["code"]) for one in caught.value.facts["errors"]] == [
        ("outputs", "doser_taken")
    ]
    assert "“Châm phân”" in str(caught.value)
    assert Rule.objects.count() == 1


@pytest.mark.parametrize("has_own_zone", [False, True])
def test_a_second_feeding_programme_of_the_same_tank_is_refused(rack, has_own_zone):
    rack.feed()
    place = Rack(rack.zone.greenhouse) if has_own_zone else rack
    more = [rack.output("doser", dose_kind=kind) for kind in ("a", "b")]

    assert refused(place.feed, *more, sensor=rack.ec) == [("zone", "tank_taken")]


def test_feeding_of_another_tank_and_what_is_switched_off_stand_in_nobodys_way(rack):
    rack.feed(is_enabled=False)
    rack.feed()

    Rack(rack.zone.greenhouse).feed()

    assert Rule.objects.count() == 3


def test_the_second_feeding_programme_cannot_be_switched_on(rack):
    first, second = rack.feed(), rack.feed(is_enabled=False)

    change = {"rule": second, "by": make_user(), "at": NOON, "is_enabled": True}

    assert refused(automation.change_rule, **change) == [("outputs", "doser_taken")]
    second.refresh_from_db()
    assert not second.is_enabled
    automation.change_rule(rule=first, by=make_user(), at=NOON, is_enabled=False)
    assert automation.change_rule(**change).is_enabled


PH = {"ph": {"low": 5.6, "target": 5.8, "high": 6.2}, "most_ph_ml": 20}
ACID = PH | {"most_ml": 100, "daily_ml": 1000}


def test_ec_and_ph_in_two_programmes_are_refused_and_told_to_be_one(rack):
    down = rack.output("doser", dose_kind="ph_down")
    rack.feed()

    assert refused(rack.feed, down, parameters=ACID) == [("zone", "tank_split")]
    assert refused(rack.feed, down, rack.output("doser", dose_kind="a"), parameters=FEED | PH) == [
        ("zone", "tank_taken")
    ]


def test_a_pair_of_feeding_programmes_that_stands_is_held_only_where_it_would_feed_more(
    client, member, rack
):
    down = rack.output("doser", dose_kind="ph_down")
    rack.feed()
    second = rack.feed(down, parameters=ACID, is_enabled=False)
    Rule.objects.filter(pk=second.pk).update(is_enabled=True)

    def change(**fields):
        return automation.change_rule(rule=second, by=make_user(), at=NOON, **fields)

    typed = {
        "name": "Hạ pH", "outputs": [down.pk], "ph_low": "5.6", "ph_target": "5.8",
        "ph_high": "6.2", "most_ml": "100", "most_ph_ml": "20", "daily_ml": "900",
        "lock_out_after": "3",
    }  # fmt: skip
    client.post(reverse("farm_rule_change", args=[second.pk]), typed)
    second.refresh_from_db()
    assert (second.name, second.sensor, second.parameters["daily_ml"]) == ("Hạ pH", rack.ec, 900)
    assert "measures_since" not in second.memory
    more = [down, rack.output("doser", dose_kind="ph_up")]
    for fields in ({"outputs": more}, {"zone": Rack(rack.zone.greenhouse).zone}):
        assert refused(change, **fields) == [("zone", "tank_split")]
    assert change(is_enabled=False).is_enabled is False
    assert refused(change, is_enabled=True) == [("zone", "tank_split")]


def test_a_feeding_programme_opens_no_valve_but_that_of_fresh_water(rack):
    fresh = rack.output("valve", dose_kind="water")

    assert refused(rack.feed, rack.a, rack.b, rack.valve) == [("outputs", "not_fresh_water")]
    assert list(rack.feed(rack.a, rack.b, fresh).outputs.order_by("pk")) == [rack.a, rack.b, fresh]


@pytest.mark.parametrize(
    ("limits", "bounds", "problems"),
    [
        ({"on_at": 2800, "off_at": -500}, {}, [("on_at", "impossible"), ("off_at", "impossible")]),
        ({"on_at": 61, "off_at": 30}, {"low": -5, "high": 60}, [("on_at", "impossible")]),
        ({"on_at": 30, "off_at": -6}, {"low": -5, "high": 60}, [("off_at", "impossible")]),
        ({"on_at": 40, "off_at": 30}, {"low": 0, "high": 40}, [("on_at", "at_the_end")]),
        ({"on_at": 30, "off_at": 0}, {"low": 0, "high": 40}, [("off_at", "at_the_end")]),
        (
            {"on_at": 0, "off_at": 40},
            {"low": 0, "high": 40},
            [
                ("on_at", "at_the_end"),
                ("off_at", "at_the_end"),
            ],
        ),
    ],
)
def test_limits_that_no_value_comes_to_are_refused(rack, limits, bounds, problems):
    Channel.objects.filter(pk=rack.air.pk).update(**bounds)
    rack.air.refresh_from_db()

    assert refused(rack.cool, parameters=limits) == problems


def test_limits_just_within_what_the_sensor_shows_are_taken(rack):
    Channel.objects.filter(pk=rack.air.pk).update(low=0, high=40)
    rack.air.refresh_from_db()

    assert rack.cool(parameters={"on_at": 39.9, "off_at": 0.1}).pk


def every(minutes, seconds, **more):
    part = {"minutes": minutes, "from": "06:00", "to": "18:00"}
    return {"every": part, "seconds": seconds} | more


@pytest.mark.parametrize(
    ("parameters", "is_refused"),
    [
        (every(1, 600), True),
        (every(10, 600), False),
        (every(1, 60), False),
        ({"times": ["05:30", "05:35"], "seconds": 301}, True),
        ({"times": ["05:30", "05:35"], "seconds": 300}, False),
        ({"times": ["23:58", "00:02"], "seconds": 241}, True),
        ({"times": ["23:58", "00:02"], "seconds": 241, "weekdays": [1]}, False),
        ({"times": ["23:58", "00:02"], "seconds": 241, "weekdays": [1, 3, 5]}, False),
        ({"times": ["23:58", "00:02"], "seconds": 241, "weekdays": [1, 2, 3, 4, 5, 6]}, True),
        ({"times": ["23:58", "00:02"], "seconds": 241, "weekdays": [1, 7]}, True),
    ],
)
def test_a_run_that_is_longer_than_the_pause_to_the_next_is_refused(parameters, is_refused):
    if is_refused:
        assert refused(make_rule, parameters=parameters) == [("seconds", "longer_than_gap")]
    else:
        assert make_rule(parameters=parameters).pk


def test_valves_that_water_one_after_the_other_need_time_for_all_of_them(rack):
    two = [rack.valve, rack.output("valve")]
    asked = {"zone": rack.zone, "outputs": two}

    # Twice 300 seconds and a pause of 5 between them.
    assert refused(make_rule, parameters=every(10, 300), **asked) == [
        ("seconds", "longer_than_gap")
    ]
    assert make_rule(parameters=every(10, 297, pause_seconds=6), **asked).pk
    assert make_rule(parameters=every(10, 300, together=True), **asked).pk


def litres(minutes, litres, seconds=900, **more):
    return every(minutes, seconds, litres=litres, **more)


def test_valves_that_run_at_once_take_as_long_as_their_litres(rack):
    two = [rack.output("valve", flow_low=1.5, flow_high=2.5) for _ in range(2)]
    asked = {"zone": rack.zone, "outputs": two}

    # Ten litres at two a minute are five minutes, whatever the most minutes are.
    assert doubts(make_rule(parameters=litres(5, 10, together=True), **asked)) == []
    assert refused(make_rule, parameters=litres(4, 10, together=True), **asked) == [
        ("seconds", "longer_than_gap")
    ]
    bounded = litres(4, 10, seconds=240, together=True)
    assert doubts(make_rule(parameters=bounded, **asked | {"outputs": two[:1]})) == [
        ("outputs", "also_driven", {"output": str(two[0]), "rule": "Tưới sáng"})
    ]


def test_litres_without_a_known_flow_are_doubted_by_the_most_minutes(rack):
    asked = {"zone": rack.zone, "outputs": [rack.valve]}
    rule = make_rule(parameters=litres(10, 10, together=True), **asked)

    assert doubts(rule) == [("seconds", "perhaps_longer_than_gap", {"run": 900, "gap": 600})]
    rule.parameters = litres(15, 10, together=True)
    assert doubts(rule) == []


def test_valves_one_after_the_other_take_as_long_as_their_litres(rack):
    three = [rack.output("valve", flow_low=1.5, flow_high=2.5) for _ in range(3)]
    asked = {"zone": rack.zone, "outputs": three}

    # Three times five minutes and two pauses of five seconds, whatever the most minutes are.
    assert refused(make_rule, parameters=litres(15, 10), **asked) == [
        ("seconds", "longer_than_gap")
    ]
    assert make_rule(parameters=litres(30, 10), **asked).pk


def test_the_same_time_twice_is_one_start():
    rule = make_rule(parameters={"times": ["05:30", "05:30", "05:30"], "seconds": 120})

    assert schedule.parse(rule.parameters).times == (time(5, 30),)


def test_an_output_that_another_programme_drives_is_doubted_with_its_name(rack):
    rack.cool(name="Quạt theo giờ", is_enabled=False)
    first = rack.cool(name="Quạt theo nhiệt độ")
    second = rack.cool(name="Quạt ngược", parameters={"on_at": 20.0, "off_at": 22.0})

    assert doubts(second) == [
        ("outputs", "also_driven", {"output": "Quạt 1", "rule": "Quạt theo nhiệt độ"})
    ]
    assert doubts(first) == [("outputs", "also_driven", {"output": "Quạt 1", "rule": "Quạt ngược"})]


def test_a_without_b_is_doubted(rack):
    assert doubts(rack.feed(rack.a)) == [("outputs", "a_without_b", {})]
    Rule.objects.update(is_enabled=False)
    assert doubts(rack.feed()) == []


def test_a_watering_valve_that_goes_by_ec_is_doubted_and_fresh_water_is_not(rack):
    by_ec = {"sensor": rack.ec, "parameters": {"on_at": 2.0, "off_at": 1.8}}
    fresh = rack.output("valve", dose_kind="water")

    assert doubts(rack.cool(outputs=[rack.valve, fresh], **by_ec)) == [
        ("outputs", "waters_by_feed", {"output": rack.valve.code})
    ]


@pytest.mark.parametrize(
    ("quantity", "is_inside", "found"),
    [
        ("solar_radiation", True, [("inside", "sun_inside", {})]),
        ("solar_radiation", False, []),
        ("ppfd", True, []),
    ],
)
def test_a_sun_sensor_that_is_said_to_hang_inside_is_doubted(rack, quantity, is_inside, found):
    sensor = make_channel(node=rack.node, quantity=Channel.Quantity(quantity))
    rule = make_rule(
        zone=rack.zone,
        outputs=[rack.valve],
        kind="light_sum",
        sensor=sensor,
        parameters={"inside": is_inside, "seconds": 240},
    )

    assert doubts(rule) == found


def test_a_form_asks_once_about_an_output_that_is_driven_already(client, member):
    house = make_house()
    make_rule(zone=house.zone, outputs=[house.fan], name="Quạt trưa")
    url = f"{reverse('farm_rule_add', args=['schedule'])}?gian={house.zone.pk}"
    typed = {"name": "Quạt chiều", "outputs": [house.fan.pk], "times": "15h", "seconds": "2"}
    assert 'name="is_sure"' not in client.get(url).content.decode()

    asked = client.post(url, typed)

    assert Rule.objects.count() == 1
    assert f"{house.fan} is also driven by the programme “Quạt trưa”." in words_of(asked)
    assert 'name="is_sure"' in asked.content.decode()
    saved = client.post(url, typed | confirmed(asked), follow=True)
    assert Rule.objects.count() == 2
    assert f"Also driven by {house.fan}: Quạt trưa" in words_of(saved)
    assert f"Also driven by: {house.fan}: Quạt chiều" in words_of(client.get(reverse("farm_rules")))


def confirmed(page):
    """What the box and what hides behind it send, as the page has them."""
    seen = re.search(r'name="seen" value="([^"]*)"', page.content.decode())[1]
    return {"is_sure": "on", "seen": html.unescape(seen)}


def test_only_doubts_that_were_shown_are_confirmed(client, member):
    house = make_house()
    make_rule(zone=house.zone, outputs=[house.fan], name="Quạt trưa")
    url = f"{reverse('farm_rule_add', args=['schedule'])}?gian={house.zone.pk}"
    typed = {"name": "Chiều", "outputs": [house.fan.pk], "times": "15h", "seconds": "2"}
    box = '<input type="checkbox" name="is_sure" id="id_is_sure" aria-invalid="true">'

    blind = client.post(url, typed | {"is_sure": "on"})
    asked = client.post(url, typed)
    make_rule(zone=house.zone, outputs=[house.light], name="Đèn")
    more = typed | {"outputs": [house.fan.pk, house.light.pk]}
    again = client.post(url, more | confirmed(asked))

    for page, drivers in ((blind, ["Quạt trưa"]), (again, ["Quạt trưa", "Đèn"])):
        said = words_of(page)
        assert [name for name in ("Quạt trưa", "Đèn") if f"“{name}”" in said] == drivers
        assert box in page.content.decode()
    assert Rule.objects.count() == 2
    client.post(url, more | confirmed(again))
    assert Rule.objects.count() == 3


def test_what_was_confirmed_is_not_asked_again_at_a_new_name(client, member):
    house = make_house()
    make_rule(zone=house.zone, outputs=[house.fan], name="Quạt trưa")
    rule = make_rule(zone=house.zone, outputs=[house.fan], name="Chiều")
    make_rule(zone=house.zone, outputs=[house.light], name="Đèn")
    url = reverse("farm_rule_change", args=[rule.pk])
    typed = {"name": "Quạt chiều", "outputs": [house.fan.pk], "times": "15h", "seconds": "2"}

    renamed = client.post(url, typed)
    asked = client.post(url, typed | {"outputs": [house.fan.pk, house.light.pk]})

    rule.refresh_from_db()
    assert (renamed.status_code, rule.name) == (302, "Quạt chiều")
    assert list(asked.context["form"].errors["is_sure"]) == [
        f"{house.light} is also driven by the programme “Đèn”."
    ]


def test_whoever_switches_a_programme_on_is_told_who_else_drives_its_outputs(client, member):
    house = make_house()
    rule = make_rule(zone=house.zone, outputs=[house.fan], name="Quạt trưa", is_enabled=False)
    make_rule(zone=house.zone, outputs=[house.fan], name="Quạt chiều")

    page = client.post(reverse("farm_rule_switch", args=[rule.pk]), {"bat": "1"}, follow=True)

    assert f"{house.fan} is also driven by the programme “Quạt chiều”." in words_of(page)


def offered(page, kind):
    outputs = page.context["form"].fields["outputs"].queryset
    return [output for output in outputs if output.kind == kind]


def test_a_form_that_goes_by_a_sensor_offers_no_valve_of_another_rack(client, member):
    rack = Rack()
    other = Rack(rack.zone.greenhouse)
    everywhere = make_output(node=rack.node)
    rule = rack.cool(outputs=[rack.valve, other.valve])

    url = f"{reverse('farm_rule_add', args=['hysteresis'])}?gian={rack.zone.pk}"
    new = client.get(url)
    standing = client.get(reverse("farm_rule_change", args=[rule.pk]))
    feeding = client.get(f"{reverse('farm_rule_add', args=['dosing'])}?gian={rack.zone.pk}")
    refused = client.post(url, {"name": "Quạt", "outputs": [other.valve.pk]})

    assert set(offered(new, "valve")) == {rack.valve, everywhere}
    assert set(offered(new, "fan")) == {rack.fan, other.fan}
    assert set(offered(standing, "valve")) == {rack.valve, everywhere, other.valve}
    assert offered(feeding, "valve") == []
    assert set(offered(feeding, "doser")) == {rack.a, rack.b, other.a, other.b}
    assert "One of them cannot be chosen here." in refused.content.decode()


def test_a_timetable_may_water_zone_after_zone_and_asks_whether_that_is_meant(client, member):
    rack = Rack()
    other = Rack(rack.zone.greenhouse)
    everywhere = make_output(node=rack.node, label="Van chính")
    url = f"{reverse('farm_rule_add', args=['schedule'])}?gian={rack.zone.pk}"
    typed = {"name": "Tưới", "outputs": [rack.valve.pk, other.valve.pk], "times": "5h"}
    typed["seconds"] = "2"

    form = client.get(url)
    asked = client.post(url, typed)
    client.post(url, typed | confirmed(asked))

    assert set(offered(form, "valve")) == {everywhere, rack.valve, other.valve}
    assert offered(form, "valve")[-1] == other.valve
    assert f"{other.valve} ({other.zone})" in words_of(form)
    assert f"{rack.valve} ({rack.zone})" not in words_of(form)
    assert list(asked.context["form"].errors["is_sure"]) == [
        f"{other.valve}: in another zone, {other.zone}."
    ]
    assert doubts(Rule.objects.get()) == [
        ("outputs", "other_zone", {"output": str(other.valve), "zone": str(other.zone)})
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_people_who_add_a_feeding_programme_at_once_get_one(together, rack):
    by = make_user()

    def add(name):
        try:
            return rack.feed(name=name, by=by).pk
        except RuleInvalidError:
            return None

    together(lambda: add("Châm phân"))

    assert Rule.objects.count() == 1
