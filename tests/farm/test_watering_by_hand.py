"""The big button: one tap is one command, each step is told, and what is refused is explained."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from farm.models import Command, EmergencyStop, LockChange, Output
from tests.farm.controllers import ack, after, dose, make_house, send, started
from tests.farm.factories import NOON, make_node, make_output
from tests.farm.pages import key_of, member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def house(member):
    return make_house()


def house_page(client, house):
    return client.get(reverse("farm_house", args=[house.greenhouse.code]))


def run_url(output) -> str:
    return reverse("farm_run", args=[output.pk])


def tap(client, page, output, seconds=120):
    key = key_of(page, run_url(output))
    return client.post(run_url(output), {"seconds": seconds, "key": key}, follow=True)


@pytest.fixture
def later(monkeypatch):
    """Move the views' clock to a moment after noon."""

    def move(seconds):
        monkeypatch.setattr("django.utils.timezone.now", lambda: after(seconds))

    return move


def test_one_tap_asks_for_two_minutes_by_hand(client, member, house):
    page = tap(client, house_page(client, house), house.valve)

    command = Command.objects.get(op="run")
    assert (command.output, command.seconds, command.source) == (house.valve, 120, "person")
    assert (command.by, command.created_at, command.status) == (member, NOON, "queued")
    assert page.redirect_chain == [
        (f"/nha-mang/{house.greenhouse.code}/#zone-{house.zone.pk}", 302)
    ]
    assert "waiting to be sent the controller has it watering done" in words_of(page)


def test_a_double_tap_is_one_command(client, house):
    page = house_page(client, house)

    tap(client, page, house.valve)
    tap(client, page, house.valve)
    tap(client, page, house.valve, seconds=300)

    assert list(Command.objects.values_list("op", "seconds")) == [("run", 120)]


def test_a_page_that_is_loaded_again_asks_anew(client, house, later):
    started(house.valve)
    ack(Command.objects.get(), "done", at=after(120), ran_s=120, l=8.0)
    later(200)

    tap(client, house_page(client, house), house.valve, seconds=60)

    assert sorted(Command.objects.filter(op="run").values_list("seconds", flat=True)) == [60, 120]


def test_each_step_is_told_as_the_controller_says_it(client, house, later):
    command_page = tap(client, house_page(client, house), house.valve)
    command = Command.objects.get()
    told = [words_of(command_page)]
    for seconds, word, fields in (
        (1, None, {}),
        (2, "accepted", {}),
        (3, "started", {}),
        (15, None, {}),
        (123, "done", {"ran_s": 120, "l": 8.0}),
    ):
        if seconds == 1:
            send(after(seconds))
        if word:
            ack(command, word, at=after(seconds), **fields)
        later(seconds)
        told.append(words_of(house_page(client, house)))

    for said, steps in zip(
        told,
        (
            "waiting to be sent the controller has it watering done",
            "sent the controller has it watering done",
            "sent the controller has it watering done",
            "sent the controller has it watering, 2:00 left done",
            "sent the controller has it watering, 1:48 left done",
            "sent the controller has it watering done, 2 minutes, 8 litres",
        ),
        strict=True,
    ):
        assert steps in said


def test_a_pump_runs_and_a_valve_waters(client, house):
    started(house.valve)
    started(house.pump)
    page = reverse("farm_output", args=[house.pump.pk])

    assert "sent the controller has it watering, 2:00 left done" in words_of(
        house_page(client, house)
    )
    assert "sent the controller has it running, 2:00 left done" in words_of(client.get(page))


def test_a_dose_is_told_in_millilitres_alone(client, house):
    given = dose(house.doser, 12.0)
    send(NOON)
    ack(given, "done", at=after(10), ran_s=10, l=0.012)

    said = words_of(client.get(reverse("farm_output", args=[house.doser.pk])))

    assert "done, 12 ml" in said
    assert "litres" not in said


def test_the_polled_part_changes_with_each_step(client, house):
    url = reverse("farm_house_live", args=[house.greenhouse.code])
    before = client.get(url)["ETag"]
    started(house.valve)

    answer = client.get(url, headers={"If-None-Match": before})

    assert answer.status_code == 200
    assert "watering, 2:00 left" in words_of(answer)
    assert 'hx-trigger="every 2s, look-again"' in answer.content.decode()


def test_what_went_wrong_is_said_in_words(client, house, later):
    command = started(house.valve)
    ack(command, "aborted", at=after(31), why="no_flow", ran_s=28, l=0.4)
    later(40)

    said = words_of(house_page(client, house))

    assert (
        "sent the controller has it watering broken off "
        "(no water is flowing, 28 seconds, 0.4 litres)" in said
    )


def test_what_runs_can_always_be_stopped(client, house, later):
    command = started(house.valve)
    page = house_page(client, house)
    stop_url = reverse("farm_halt", args=[house.valve.pk])
    assert stop_url in page.content.decode()
    later(10)

    client.post(stop_url)

    stop = Command.objects.get(op="stop")
    assert (stop.output, stop.source, stop.created_at) == (house.valve, "person", after(10))
    assert Command.objects.get(pk=command.pk).status == "started"


def bar(page):
    """What stands in the bar to stop in haste, in its order."""
    found = re.search(r'<div class="running".*', page.content.decode(), re.DOTALL)
    return re.findall(r"<strong>(.*?)</strong>", found[0]) if found else []


def test_the_bar_stops_water_first_and_leaves_the_circulation_to_its_row(client, house):
    page = house_page(client, house)
    assert bar(page) == []
    assert reverse("farm_halt", args=[house.pump.pk]) in page.content.decode()
    Output.objects.filter(pk=house.doser.pk).update(is_on=True)
    started(house.valve)

    assert bar(house_page(client, house)) == ["valve-1", "dose-a"]


def test_a_pump_that_waters_where_no_valve_is_stands_in_the_bar(client, house):
    Output.objects.filter(pk=house.valve.pk).update(is_active=False)

    assert bar(house_page(client, house)) == ["pump"]


def test_each_pump_of_a_zone_without_a_valve_stands_in_the_bar(client, house):
    Output.objects.filter(pk=house.valve.pk).update(is_active=False)
    make_output(node=house.node, zone=house.zone, code="pump-2", kind="pump", is_on=True)
    make_output(node=house.node, code="pump-3", kind="pump", is_on=True)

    assert bar(house_page(client, house)) == ["pump", "pump-2", "pump-3"]


def test_a_pump_of_the_whole_house_leaves_the_bar_to_the_valves(client, house):
    make_output(node=house.node, code="pump-3", kind="pump", is_on=True)

    assert bar(house_page(client, house)) == []


def test_an_interlock_answers_with_its_sentence_and_no_command(client, house):
    house.greenhouse.is_stopped, house.greenhouse.stopped_at = True, NOON
    house.greenhouse.save()

    page = client.post(
        run_url(house.valve),
        {"seconds": 120, "key": "k"},
        headers={"Referer": f"http://testserver/nha-mang/{house.greenhouse.code}/"},
        follow=True,
    )

    assert "The house is under an emergency stop." in words_of(page)
    assert Command.objects.count() == 0


@pytest.mark.parametrize("seconds", ["0", "-5", "86401", "x", ""])
def test_an_impossible_run_is_refused(client, house, seconds):
    client.post(run_url(house.valve), {"seconds": seconds, "key": "k"})
    client.post(run_url(house.valve), {"seconds": "120"})

    assert Command.objects.count() == 0


def test_a_get_runs_nothing(client, house):
    for name, status in (("farm_run", 405), ("farm_halt", 405), ("farm_dose", 200)):
        assert client.get(reverse(name, args=[house.doser.pk])).status_code == status
    assert Command.objects.count() == 0


def test_a_foreign_device_shows_no_step_that_it_cannot_tell(client, house):
    foreign = make_node(greenhouse=house.greenhouse, protocol="esphome")
    valve = make_output(node=foreign, label="Van ngoài", zone=house.zone)
    Command.objects.create(
        id="01JFX600000000000000000009",
        node=foreign,
        output=valve,
        op="run",
        seconds=60,
        source="person",
        status="sent",
        sends=1,
        sent_at=NOON,
        created_at=NOON,
        expires_at=NOON + timedelta(seconds=15),
    )

    said = words_of(client.get(reverse("farm_output", args=[valve.pk])))

    assert "no-ack device: it tells only open and closed" in said
    assert "sent watering done" in said


def test_the_emergency_stop_is_confirmed_with_a_reason(client, member, house):
    code = house.greenhouse.code
    url = reverse("farm_stop", args=[code])
    assert "Stop everything in" in words_of(client.get(url))
    assert EmergencyStop.objects.count() == 0

    page = client.post(url, {"reason": "vỡ ống"}, follow=True)

    stop = EmergencyStop.objects.get()
    assert (stop.is_stop, stop.reason, stop.by, stop.at) == (True, "vỡ ống", member, NOON)
    assert "Emergency stop: nothing runs in this house." in words_of(page)
    assert run_url(house.valve) not in page.content.decode()


def test_a_stop_is_said_once_on_the_house_page(client, member, house):
    code = house.greenhouse.code
    before = client.get(reverse("farm_house", args=[code])).content.decode()

    page = client.post(reverse("farm_stop", args=[code]), {"reason": ""}, follow=True)

    said = page.content.decode()
    stop_link = f'href="{reverse("farm_stop", args=[code])}"'
    assert (before.count(stop_link), said.count(stop_link)) == (1, 1)
    assert before.index(stop_link) < before.index('id="live"')
    assert said.count('class="estop"') == 1
    assert said.count(f'href="{reverse("farm_release", args=[code])}"') == 1
    assert (said.count('class="alarm '), said.count('class="message ')) == (0, 1)
    assert 'class="alarm severity-3' in client.get(reverse("farm_alarms")).content.decode()


@pytest.mark.parametrize("code", ["valve", "doser", "light"])
def test_during_an_emergency_stop_an_output_offers_no_run(client, member, house, code):
    output = getattr(house, code)
    url = reverse("farm_output", args=[output.pk])
    forms = [reverse(name, args=[output.pk]) for name in ("farm_run", "farm_dose", "farm_set")]
    assert any(form in client.get(url).content.decode() for form in forms)

    client.post(reverse("farm_stop", args=[house.greenhouse.code]), {"reason": ""})

    page = client.get(url)
    assert (
        "Emergency stop: nothing runs in this house. "
        "Lê Thị Hoa stopped everything less than a minute ago." in words_of(page)
    )
    assert not any(form in page.content.decode() for form in forms)
    assert f'href="{reverse("farm_release", args=[house.greenhouse.code])}"' in (
        page.content.decode()
    )


def test_an_output_that_is_locked_off_offers_no_run(client, house):
    Output.objects.filter(pk=house.valve.pk).update(lock="off", lock_reason="rửa lọc")

    page = client.get(reverse("farm_output", args=[house.valve.pk]))

    assert run_url(house.valve) not in page.content.decode()
    assert "“rửa lọc”" in words_of(page)


def test_a_house_is_released_only_with_a_reason(client, house):
    code = house.greenhouse.code
    client.post(reverse("farm_stop", args=[code]), {"reason": ""})
    url = reverse("farm_release", args=[code])

    refused = client.post(url, {"reason": ""})
    house.greenhouse.refresh_from_db()
    assert (refused.status_code, house.greenhouse.is_stopped) == (200, True)

    client.post(url, {"reason": "đã nối ống"})
    house.greenhouse.refresh_from_db()
    assert house.greenhouse.is_stopped is False
    assert EmergencyStop.objects.filter(is_stop=False).get().reason == "đã nối ống"


def test_a_lock_needs_a_reason_and_says_until_when(client, member, house):
    url = reverse("farm_lock", args=[house.valve.pk])

    refused = client.post(url, {"lock": "off", "hours": "4", "reason": ""})
    assert "Write why, so that the others know." in words_of(refused)
    assert LockChange.objects.count() == 0

    page = client.post(url, {"lock": "off", "hours": "4", "reason": "rửa lọc"}, follow=True)
    house.valve.refresh_from_db()
    assert (house.valve.lock, house.valve.lock_until) == ("off", NOON + timedelta(hours=4))
    assert "Locked off, until 16:00 22/11/2026, “rửa lọc”" in words_of(page)
    assert run_url(house.valve) not in page.content.decode()

    client.post(url, {"lock": "auto"})
    house.valve.refresh_from_db()
    assert (house.valve.lock, house.valve.lock_until) == (Output.Lock.AUTO, None)


def test_a_command_without_an_answer_is_settled_by_a_person(client, house):
    unknown = Command.objects.create(
        id="01JFX600000000000000000008",
        node=house.node,
        output=house.doser,
        op="dose",
        ml=6.0,
        seconds=5,
        source="person",
        status="unknown",
        why="no_ack",
        sent_at=NOON,
        created_at=NOON,
        expires_at=NOON,
    )
    url = reverse("farm_output", args=[house.doser.pk])
    assert "no answer: go and look whether it runs (the controller did not answer)" in words_of(
        client.get(url)
    )

    client.post(reverse("farm_settle", args=[unknown.pk]))

    unknown.refresh_from_db()
    assert unknown.settled_at == NOON
    assert "Nobody knows what became of this" not in words_of(client.get(url))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("-5", "Write at least 0.1 ml."),
        ("abc", "Write the ml as a number, for example 12.5."),
        ("100000", "Write at most 10,000 ml."),
        ("", "Write how many ml to dose."),
    ],
)
def test_a_dose_that_cannot_be_read_is_told_beside_its_field_and_stays(
    client, house, typed, sentence
):
    doser = make_output(node=house.node, kind=Output.Kind.DOSER, ml_per_second=1.2)
    url = reverse("farm_dose", args=[doser.pk])

    page = client.post(url, {"ml": typed, "key": "tap-1"})

    # In the summary and beside the field.
    assert words_of(page).count(sentence) == 2
    assert f'value="{typed}"' in page.content.decode() or not typed
    assert key_of(page, url) == "tap-1"
    assert not Command.objects.exists()
    assert client.get(url).status_code == 200


@pytest.mark.parametrize(
    "typed", [{"ml": "5"}, {"ml": "5", "key": ""}, {"ml": "5", "key": "k" * 81}]
)
def test_a_dose_without_a_sound_key_is_given_one_and_can_be_sent_again(client, house, typed):
    url = reverse("farm_dose", args=[house.doser.pk])

    page = client.post(url, typed)

    key = key_of(page, url)
    assert (len(key), key.endswith(f"-{house.doser.pk}")) == (33 + len(str(house.doser.pk)), True)
    assert "Please press “Dose” once more." in words_of(page)
    assert not Command.objects.exists()
    assert client.post(url, {"ml": "5", "key": key}).status_code == 302
    assert Command.objects.get().caller_key == key


@pytest.mark.parametrize("code", ["valve", "fan", "pump"])
def test_what_is_no_doser_has_no_page_for_a_dose(client, house, code):
    url = reverse("farm_dose", args=[getattr(house, code).pk])

    assert client.get(url).status_code == 404
    assert client.post(url, {"ml": "5", "key": "k"}).status_code == 404
