"""Programmes on a phone: what they are set to in words, forms that keep what was typed."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from farm.clock_words import is_time, times_typed
from farm.errors import RuleInvalidError
from farm.forms import MinutesField
from farm.models import Channel, Command, Decision, Greenhouse, Output, Rule
from farm.selectors import rules
from farm.services import rule_changes
from tests.farm.controllers import make_house, run
from tests.farm.factories import NOON, make_channel
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db
RULES = reverse("farm_rules")


@pytest.fixture
def house(member):
    return make_house()


def put_on_the_map(house):
    house.greenhouse.latitude, house.greenhouse.longitude = 19.92, 105.92
    house.greenhouse.save()


def new_timetable(house):
    return f"{reverse('farm_rule_add', args=['schedule'])}?gian={house.zone.pk}"


def make_rule(house, **changes):
    fields = {
        "zone": house.zone,
        "name": "Tưới sáng",
        "kind": "schedule",
        "parameters": {"times": ["05:30", "11:20"], "seconds": 120},
    }
    rule = Rule.objects.create(**fields | changes)
    rule.outputs.add(house.valve)
    return rule


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        (
            "schedule",
            {"times": ["05:30", "11:20"], "seconds": 120, "weekdays": [1, 7]},
            "At 05:30, 11:20. Only on: Monday, Sunday. Each time 2 minutes.",
        ),
        (
            "schedule",
            {
                "every": {"minutes": 30, "from": "06:00", "to": "17:00"},
                "sun": [{"event": "sunrise", "offset_minutes": -15}],
                "litres": 12.5,
                "seconds": 90,
            },
            (
                "Every 30 minutes from 06:00 to 17:00. 15 minutes before sunrise. "
                "Each time 12.5 litres, at most 1 min 30 s."
            ),
        ),
        (
            "light_sum",
            {"j_per_cm2": 150, "longest_pause_minutes": 90},
            (
                "Waters after each 150 J/cm² of light, from 06:00 to 17:00. "
                "Each time as much as the plants drank and 20 % on top to drain. "
                "Never longer than 90 minutes without water. "
                "Waters sooner or later by what drained of the last times."
            ),
        ),
        (
            "hysteresis",
            {"on_at": 32, "off_at": 29},
            (
                "On when the value is above 32, off again below 29. "
                "On for at least 2 minutes, off for at least 3 minutes."
            ),
        ),
        (
            "dosing",
            {"ec": {"low": 1.6, "target": 1.8, "high": 2}, "most_ml": 50, "daily_ml": 500},
            (
                "Keeps EC between 1.6 and 2, aims at 1.8. "
                "At most 50 ml at a time, 500 ml of each bottle a day. "
                "Stops and gives alarm after 3 doses without effect."
            ),
        ),
        (
            "schedule",
            {"tmes": ["05:30"]},
            "Its settings cannot be read: it does nothing until somebody sets it anew.",
        ),
    ],
)
def test_a_programme_says_what_it_is_set_to(client, house, kind, parameters, said):
    make_rule(house, kind=kind, parameters=parameters)

    assert said in words_of(client.get(RULES))


def test_a_programme_by_the_sun_says_when_that_is_today(client, house):
    put_on_the_map(house)
    make_rule(house, parameters={"sun": [{"event": "sunrise"}], "seconds": 60})

    assert "At sunrise. Each time 1 minute. Today the sun rises at 06:09 and sets at 17:16." in (
        words_of(client.get(RULES))
    )


FEED = {"ec": {"low": 1.6, "target": 1.8, "high": 2}, "most_ml": 50, "daily_ml": 500}
BY_HEAT = {"on_at": 32, "off_at": 29.5}
BY_COLD = {"on_at": 29.5, "off_at": 32}


@pytest.mark.parametrize(
    ("kind", "parameters", "memory", "said"),
    [
        ("schedule", {"times": ["05:30", "16:30"], "seconds": 9}, {}, "Runs next 16:30 today"),
        ("schedule", {"times": ["05:30", "11:20"], "seconds": 9}, {}, "Runs next 05:30 tomorrow"),
        (
            "schedule",
            {"times": ["05:30"], "weekdays": [3], "seconds": 9},
            {},
            "Runs next 05:30 on 25/11",
        ),
        (
            "schedule",
            {"sun": [{"event": "sunset"}], "seconds": 9},
            {},
            "Runs next no time in the coming days",
        ),
        ("hysteresis", BY_HEAT, {}, "Waits for air temperature above 32 °C, to go on"),
        ("hysteresis", BY_COLD, {}, "Waits for air temperature below 29.5 °C, to go on"),
        (
            "hysteresis",
            BY_HEAT,
            {"is_on": True},
            "Waits for air temperature below 29.5 °C, to go off",
        ),
        (
            "hysteresis",
            BY_COLD,
            {"is_on": True},
            "Waits for air temperature above 32 °C, to go off",
        ),
        ("light_sum", {}, {"light": 61.4}, "Waits for 150 J/cm² of light, 61 so far"),
        ("light_sum", {"from": "13:00"}, {}, "Waits for the day: it waters from 13:00"),
        ("dosing", FEED, {}, "Waits for EC below 1.6 or above 2"),
        (
            "dosing",
            FEED,
            {"locked": {"ec": 3}},
            "Waits for somebody who looks why doses have no effect, and saves it anew",
        ),
        (
            "dosing",
            FEED,
            {"b_missing": True},
            "Waits for somebody who looks why B could not follow A, and saves it anew Change",
        ),
        (
            "dosing",
            FEED | {"ph": {"low": 5.6, "target": 5.8, "high": 6.2}, "most_ph_ml": 20},
            {"b_missing": True},
            (
                "Waits for somebody who looks why B could not follow A, and saves it anew; "
                "pH below 5.6 or above 6.2"
            ),
        ),
        ("schedule", {"tmes": []}, {}, "Waits for somebody who sets it anew"),
    ],
)
def test_a_programme_says_what_it_waits_for(client, house, kind, parameters, memory, said):
    sensor = make_channel(node=house.node) if kind == "hysteresis" else None
    rule = make_rule(house, kind=kind, parameters=parameters, memory=memory, sensor=sensor)

    assert said in words_of(client.get(reverse("farm_rule", args=[rule.pk])))


def test_a_programme_promises_nothing_while_nothing_can_run(client, house):
    rule = make_rule(house)
    rule.outputs.add(house.fan)
    outputs = Output.objects.filter(rules=rule)

    def ahead():
        return rules.show_rule(rules.known_rules().get(pk=rule.pk), now=NOON).ahead

    runs = ("Runs next", "05:30 tomorrow")
    with translation.override("en"):
        Output.objects.filter(pk=house.valve.pk).update(lock="off", lock_reason="rửa lọc")
        assert ahead() == runs
        Output.objects.filter(pk=house.fan.pk).update(lock="manual", lock_reason="sửa dây")
        assert ahead() == ("Waits for", "somebody who unlocks what it switches")
        outputs.update(lock_until=NOON + timedelta(hours=18))
        assert ahead() == ("Waits for", "the end of the lock, 06:00 tomorrow")
        outputs.update(lock_until=NOON + timedelta(hours=17))
        assert ahead() == runs
        Greenhouse.objects.update(is_stopped=True, stopped_at=NOON)
        assert ahead() == ("Waits for", "the end of the emergency stop")


def test_a_programme_that_is_off_waits_for_nothing_and_says_what_it_goes_by(client, house):
    air = make_channel(node=house.node)
    rule = make_rule(house, kind="hysteresis", parameters=BY_COLD, sensor=air, is_enabled=False)

    said = words_of(client.get(reverse("farm_rule", args=[rule.pk])))

    assert "Runs next never: it is off" in said
    assert "On when air temperature is below 29.5 °C, off again above 32 °C." in said


def test_a_programme_shows_why_it_decided(client, house):
    rule = make_rule(house)
    Decision.objects.create(
        rule=rule,
        at=NOON - timedelta(minutes=40),
        verdict="blocked",
        reason="tank_low",
        facts={},
        generation=1,
    )

    said = words_of(client.get(reverse("farm_rule", args=[rule.pk])))

    assert "11:20 Held back at 11:20: " in said
    assert "22/11/2026, was held back" in said


def test_each_of_two_fans_is_named_by_what_was_decided_of_it(client, house):
    rule = make_rule(house)
    for output in (house.fan, house.light):
        Decision.objects.create(
            rule=rule,
            at=NOON,
            verdict="act",
            reason="time",
            facts={"start": NOON.isoformat(), "seconds": 120},
            generation=1,
            command=run(output),
        )

    said = words_of(client.get(reverse("farm_rule", args=[rule.pk])))

    for output in (house.fan, house.light):
        assert f"{output}: Switched on for 2 minutes at 12:00" in said


def test_a_programme_is_switched_off_and_on(client, member, house):
    rule = make_rule(house)
    url = reverse("farm_rule_switch", args=[rule.pk])

    client.post(url, {"bat": "0"})
    rule.refresh_from_db()
    assert (rule.is_enabled, rule.generation, rule.changed_by) == (False, 2, member)

    client.post(url, {"bat": "1"})
    rule.refresh_from_db()
    assert (rule.is_enabled, rule.generation) == (True, 3)


def test_a_programme_is_taken_off_the_list_after_asking_and_stays_for_its_reasons(
    client, member, house
):
    rule = make_rule(house)
    watering = run(house.valve, source="schedule", rule=rule)
    Decision.objects.create(
        rule=rule, at=NOON, verdict="act", reason="time", generation=1, command=watering,
        facts={"start": NOON.isoformat(), "seconds": 120},
    )  # fmt: skip
    url = reverse("farm_rule_archive", args=[rule.pk])

    asked = client.get(url)
    rule.refresh_from_db()
    assert (rule.is_enabled, rule.archived_at) == (True, None)
    answers = [client.post(url), client.post(url)]

    rule.refresh_from_db()
    assert "Take “Tưới sáng” off the list?" in words_of(asked)
    assert [(one.status_code, one.url) for one in answers] == [(302, RULES), (302, RULES)]
    assert (rule.is_enabled, rule.archived_at, rule.changed_by) == (False, NOON, member)
    assert rule.generation == 2
    assert Command.objects.filter(op="stop", output=house.valve).count() == 1
    client.get(RULES)  # takes the messages
    assert "Tưới sáng" not in words_of(client.get(RULES))
    page = words_of(client.get(reverse("farm_rule", args=[rule.pk])))
    assert "This programme is off the list for good." in page
    assert "Watered for 2 minutes at 12:00" in page
    assert client.get(reverse("farm_rule_change", args=[rule.pk])).status_code == 404
    assert client.post(reverse("farm_rule_switch", args=[rule.pk])).status_code == 404
    with pytest.raises(RuleInvalidError):
        rule_changes.change_rule(rule=rule, by=member, at=NOON, is_enabled=True)


def test_a_timetable_is_added_with_plain_fields(client, member, house):
    url = f"{reverse('farm_rule_add', args=['schedule'])}?gian={house.zone.pk}"

    client.post(
        url,
        {
            "name": "Tưới trưa",
            "outputs": [house.valve.pk],
            "times": "5:30, 11:20",
            "weekdays": ["1", "2", "3", "4", "5", "6", "7"],
            "seconds": "2",
        },
    )

    rule = Rule.objects.get()
    assert (rule.name, rule.kind, rule.zone, rule.changed_by) == (
        "Tưới trưa",
        "schedule",
        house.zone,
        member,
    )
    assert rule.parameters == {"times": ["05:30", "11:20"], "seconds": 120}
    assert list(rule.outputs.all()) == [house.valve]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"times": "25:99"}, "“25:99” is no time of the day."),
        ({"times": ""}, "At these times: This is missing."),
        ({"seconds": ""}, "Each time so many minutes: This is missing."),
    ],
)
def test_a_wrong_setting_is_told_beside_its_field_and_nothing_typed_is_lost(
    client, house, typed, sentence
):
    url = f"{reverse('farm_rule_add', args=['schedule'])}?gian={house.zone.pk}"
    filled = {"name": "Tưới", "outputs": [house.valve.pk], "times": "05:30", "seconds": "2"}

    page = client.post(url, filled | typed)

    assert sentence in words_of(page)
    assert 'value="Tưới"' in page.content.decode()
    assert Rule.objects.count() == 0


def filled_in(house, **typed):
    return {"name": "Quạt", "outputs": [house.fan.pk], "seconds": "2"} | typed


@pytest.mark.parametrize(
    ("typed", "sun"),
    [
        (
            {"sunrise_1": "before", "sunrise_1_minutes": "15"},
            [{"event": "sunrise", "offset_minutes": -15}],
        ),
        (
            {"sunrise_1": "at", "sunset_1": "after", "sunset_1_minutes": "90"},
            [
                {"event": "sunrise", "offset_minutes": 0},
                {"event": "sunset", "offset_minutes": 90},
            ],
        ),
    ],
)
def test_a_timetable_may_go_by_the_sun(client, house, typed, sun):
    put_on_the_map(house)
    form = words_of(client.get(new_timetable(house)))
    assert form.count("Today the sun rises at 06:09 and sets at 17:16.") == 1

    client.post(new_timetable(house), filled_in(house, **typed))

    assert Rule.objects.get().parameters == {"sun": sun, "seconds": 120}


def test_every_start_by_the_sun_that_stands_is_shown_and_can_be_taken_away(client, house):
    put_on_the_map(house)
    sun = [
        {"event": "sunrise", "offset_minutes": -15},
        {"event": "sunset", "offset_minutes": 0},
        {"event": "sunrise", "offset_minutes": 240},
    ]
    rule = make_rule(house, parameters={"sun": sun, "seconds": 120, "pause_seconds": 9})
    url = reverse("farm_rule_change", args=[rule.pk])
    shown = client.get(url).context["form"]
    initial = {name: shown[name].value() for name in shown.fields if "sun" in name}

    typed = {name: value for name, value in initial.items() if value} | {"sunrise_1": ""}
    refused = client.post(url, filled_in(house, **typed))
    client.post(url, filled_in(house, **typed | {"sunrise_1_minutes": ""}))

    assert initial == {
        "sunrise_1": "before", "sunrise_1_minutes": 15,
        "sunrise_2": "after", "sunrise_2_minutes": 240,
        "sunset_1": "at", "sunset_1_minutes": None,
    }  # fmt: skip
    assert "Choose before or after, or leave the minutes empty." in words_of(refused)
    rule.refresh_from_db()
    assert rule.parameters == {"sun": [sun[2], sun[1]], "seconds": 120, "pause_seconds": 9}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            {"sunrise_1": "before"},
            "Write how many minutes before or after, or choose exactly at the time.",
        ),
        ({"sunset_1_minutes": "15"}, "Choose before or after, or leave the minutes empty."),
        (
            {"sunset_1": "at", "sunset_1_minutes": "15"},
            "Choose before or after, or leave the minutes empty.",
        ),
        (
            {"sunset_1": "after", "sunset_1_minutes": "301"},
            "Write the minutes before or after as a whole number from 1 to 300.",
        ),
        (
            {"sunset_1": "after", "sunset_1_minutes": "-15"},
            "Write the minutes before or after as a whole number from 1 to 300.",
        ),
    ],
)
def test_half_a_start_by_the_sun_is_told_beside_its_field(client, house, typed, sentence):
    put_on_the_map(house)

    page = client.post(new_timetable(house), filled_in(house, times="05:30", **typed))

    # In the summary and beside the field, and nothing else is wrong.
    assert words_of(page).count(sentence) == 2
    assert page.content.decode().count('<p class="wrong"') == 1
    assert 'value="05:30"' in page.content.decode()
    for value in typed.values():
        assert f'value="{value}"' in page.content.decode()
    assert Rule.objects.count() == 0


def test_a_house_without_a_place_has_no_sun_and_what_was_typed_stays(client, house):
    hint = "The greenhouse has no place on the map yet, so nothing there can go by the sun."
    assert hint in words_of(client.get(new_timetable(house)))

    page = client.post(
        new_timetable(house), filled_in(house, sunset_1="before", sunset_1_minutes="20")
    )

    assert "Or by the sunset: The greenhouse has no place on the map yet." in words_of(page)
    assert 'id="id_sunset_1_error"' in page.content.decode()
    assert 'value="20"' in page.content.decode()
    assert Rule.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"times": "05:30", "seconds": "15.1"}, "At most 15 minutes."),
        ({"times": "05:30", "seconds": "0"}, "Write more than 0 minutes."),
        ({"times": "05:30", "seconds": "-5"}, "Write more than 0 minutes."),
        ({"times": "5 giờ chiều"}, "“chiều” is no time of the day."),
        ({"every_minutes": "30", "every_to": "17:00"}, "This is missing."),
    ],
)
def test_a_programme_that_cannot_work_is_told_in_words_and_nothing_typed_is_lost(
    client, house, typed, sentence
):
    page = client.post(new_timetable(house), filled_in(house, outputs=[house.valve.pk]) | typed)

    assert page.status_code == 200
    assert words_of(page).count(sentence) >= 2
    assert 'value="Quạt"' in page.content.decode()
    assert Rule.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "times"),
    [
        ("11h20, 5h", ["11:20", "05:00"]),
        ("5 giờ 11 giờ 20", ["05:00", "11:20"]),
        ("11.20; 15g05 16 giờ 5 phút.", ["11:20", "15:05", "16:05"]),
        ("05:30, 5h30, 5:30", ["05:30"]),
        ("5h 11h\n17H", ["05:00", "11:00", "17:00"]),
        ("17h30' 18h05’ 19 giờ 10 ’", ["17:30", "18:05", "19:10"]),
        ("05:30:00,5:10:15", ["05:30", "05:10:15"]),
        ("5h 11.20 12:30", ["05:00", "11:20", "12:30"]),
    ],
)
def test_times_are_read_as_people_write_them(client, house, typed, times):
    client.post(new_timetable(house), filled_in(house, times=typed))

    assert Rule.objects.get().parameters["times"] == times


@pytest.mark.parametrize(
    ("typed", "strange"),
    [
        ("12.5h", "12.5h"),
        ("12,5h", "12"),
        ("12.5", "12.5"),
        ("11.20.15", "11.20.15"),
        ("05:10:15:20", "05:10:15:20"),
        ("05:10:75", "05:10:75"),
        ("5h30h", "5h30h"),
        ("5h, 0530", "0530"),
    ],
)
def test_a_time_that_may_mean_two_things_is_refused_and_waters_nobody(
    client, house, typed, strange
):
    page = client.post(new_timetable(house), filled_in(house, times=typed))

    assert f"At these times: “{strange}” is no time of the day." in words_of(page)
    assert f'value="{typed}"' in page.content.decode()
    assert Rule.objects.count() == 0


def test_a_field_for_one_time_takes_what_browsers_send_and_no_two_times(client, house):
    every = {"every_minutes": "30", "every_from": "05:30:00", "every_to": "17h30'"}

    page = client.post(new_timetable(house), filled_in(house, **every | {"every_to": "5h 6h"}))
    client.post(new_timetable(house), filled_in(house, **every))

    assert "to: Enter a valid time." in words_of(page)
    assert Rule.objects.get().parameters["every"] == {
        "minutes": 30, "from": "05:30", "to": "17:30",
    }  # fmt: skip


LETTERS = "0123456789::..hgp'’ờu"


@given(st.text(LETTERS, max_size=12))
def test_of_one_word_one_time_is_read_at_most_and_with_all_of_its_numbers(word):
    read = times_typed(word)

    if any(map(is_time, read)):
        numbers = [int(number) for number in re.findall(r"\d+", word)]
        clock = [int(number) for number in read[0].split(":")]
        assert len(read) == 1
        assert numbers + [0] * (3 - len(numbers)) == clock + [0] * (3 - len(clock))


@given(st.text(LETTERS + " ,;\n", max_size=30))
def test_no_more_times_are_read_than_words_are_written(line):
    words = [word for word in re.split(r"[\s,;]+", line) if word]

    assert len([at for at in times_typed(line) if is_time(at)]) <= len(words)


def test_everything_that_is_wrong_is_told_at_once_with_the_names_of_the_fields(client, house):
    typed = {"name": "", "outputs": [], "times": "25h, 7h61", "seconds": "abc"}

    page = client.post(new_timetable(house), typed)

    summary = re.search(r"error-summary.*?</div>", page.content.decode(), re.DOTALL)[0]
    lines = [re.sub("<[^>]+>", "", line) for line in re.findall("<a .*?</a>", summary)]
    assert lines == [
        "Name: This field is required.",
        "What it switches: This field is required.",
        "At these times: “25h” is no time of the day.",
        "At these times: “7h61” is no time of the day.",
        "Each time so many minutes: Enter a number.",
    ]


def test_a_run_of_one_second_that_stands_can_be_saved_again_and_a_pause_may_be_none():
    run = MinutesField(may_be_zero=False)
    standing = str(run.prepare_value(1))

    assert (run.clean(standing), MinutesField().clean("0")) == (1, 0)
    with pytest.raises(ValidationError):
        MinutesField().clean("-1")


def test_a_change_keeps_what_the_form_does_not_show(client, house):
    sensor = make_channel(
        node=house.node, zone=house.zone, quantity=Channel.Quantity.AIR_TEMPERATURE
    )
    rule = make_rule(
        house,
        kind="hysteresis",
        sensor=sensor,
        parameters={"on_at": 32, "off_at": 29, "run_seconds": 600},
    )
    rule.outputs.set([house.fan])
    url = reverse("farm_rule_change", args=[rule.pk])
    assert 'value="32"' in client.get(url).content.decode()

    client.post(
        url,
        {
            "name": "Quạt",
            "outputs": [house.fan.pk],
            "sensor": sensor.pk,
            "on_at": "33.5",
            "off_at": "30",
            "least_on_seconds": "1",
            "least_off_seconds": "1.5",
        },
    )

    rule.refresh_from_db()
    assert rule.parameters == {
        "run_seconds": 600,
        "on_at": 33.5,
        "off_at": 30.0,
        "least_on_seconds": 60,
        "least_off_seconds": 90,
    }
    assert (rule.name, rule.generation) == ("Quạt", 2)


def test_an_unknown_kind_or_zone_is_no_page(client, house):
    assert client.get(reverse("farm_rule_add", args=["gio"])).status_code == 404
    assert client.get(reverse("farm_rule_add", args=["schedule"])).status_code == 404
    assert client.get(f"{reverse('farm_rule_add', args=['schedule'])}?gian=x").status_code == 404


def test_ten_programmes_cost_no_more_queries_than_two(house):
    def count():
        with CaptureQueriesContext(connection) as seen:
            rules.rule_list(now=NOON)
        return len(seen)

    for number in range(2):
        rule = make_rule(house, name=f"a{number}")
        Decision.objects.create(
            rule=rule, at=NOON, verdict="blocked", reason="tank_low", generation=1
        )
    before = count()
    for number in range(8):
        rule = make_rule(house, name=f"b{number}")
        Decision.objects.create(
            rule=rule, at=NOON, verdict="blocked", reason="tank_low", generation=1
        )

    assert (before, count()) == (3, 3)
