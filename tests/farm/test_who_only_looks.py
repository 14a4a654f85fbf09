"""The commune's chairperson sees the greenhouses, stops them in need, and switches nothing on."""

import json
import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.roles import Role
from farm.models import Alarm, Batch, Command, Greenhouse, Harvest, Output, Rule, Watch
from farm.services import api_tokens
from tests.accounts.factories import make_official
from tests.farm.factories import (
    NOON,
    make_batch,
    make_channel,
    make_greenhouse,
    make_limit,
    make_node,
    make_output,
    make_rule,
    make_user,
    make_watch,
    make_zone,
)
from tests.farm.pages import member, noon, words_of

__all__ = ["member", "noon"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
NOTICE = "only the cooperative's members switch things on"


@pytest.fixture
def chairperson(client):
    person = make_official(is_superuser=False)
    person.groups.add(Group.objects.get(name=Role.CHAIRPERSON))
    client.force_login(person)
    client.cookies["django_language"] = "en"
    return person


@pytest.fixture
def valve():
    house = make_greenhouse(code="nm2")
    zone = make_zone(greenhouse=house, area_m2=20)
    return make_output(node=make_node(greenhouse=house), zone=zone)


def test_who_only_looks_opens_no_valve(client, chairperson, valve):
    answer = client.post(
        reverse("farm_run", args=[valve.pk]), {"seconds": "120", "key": "a-page's own"}
    )

    assert answer.status_code == 403
    assert not Command.objects.exists()


def test_who_only_looks_changes_neither_programme_nor_lock_nor_book(client, chairperson, valve):
    rule = make_rule(zone=valve.zone, outputs=[valve])
    batch = make_batch(zone=valve.zone)
    said = {"day": str(NOON.date()), "kg": "5", "grade": "1", "vnd": ""}

    answers = [
        client.post(reverse("farm_rule_switch", args=[rule.pk]), {"bat": "0"}),
        client.post(reverse("farm_lock", args=[valve.pk]), {"lock": "off", "reason": "x"}),
        client.post(reverse("farm_batch_harvest", args=[batch.code]), said),
        client.post(reverse("farm_release", args=["nm2"]), {"reason": "x"}),
        client.post(reverse("farm_tokens"), {"name": "x", "days": "30"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert Rule.objects.get().is_enabled
    assert Output.objects.get().lock == Output.Lock.AUTO
    assert not Harvest.objects.exists()


def test_who_only_looks_may_stop_a_house_and_an_output_and_see_an_alarm(client, chairperson, valve):
    house = valve.node.greenhouse
    alarm = Alarm.objects.create(
        greenhouse=house, key="x", kind="tank_low", severity=2, opened_at=NOON, last_at=NOON
    )

    client.post(reverse("farm_halt", args=[valve.pk]))
    client.post(reverse("farm_alarm_seen", args=[alarm.pk]))
    client.post(reverse("farm_stop", args=["nm2"]), {"reason": ""})

    assert Command.objects.filter(output=valve, op="stop").count() == 1
    assert Alarm.objects.get(pk=alarm.pk).acknowledged_by == chairperson
    assert Greenhouse.objects.get().is_stopped


def test_pages_say_who_may_switch_and_leave_out_what_one_may_not(client, chairperson):
    batch = make_batch()

    page = client.get(reverse("farm_batch", args=[batch.code]))

    assert NOTICE in words_of(page)
    assert reverse("farm_batch_harvest", args=[batch.code]) not in page.content.decode()
    assert reverse("farm_batch_end", args=[batch.code]) not in page.content.decode()


def test_a_member_is_told_no_such_thing(client, member):
    batch = make_batch()

    page = client.get(reverse("farm_batch", args=[batch.code]))

    assert NOTICE not in words_of(page)
    assert reverse("farm_batch_end", args=[batch.code]) in page.content.decode()
    assert Batch.objects.get().ended_date is None


def test_a_program_of_who_only_looks_reads_and_switches_nothing(client, chairperson, valve):
    key = api_tokens.make_token(user=chairperson, name="x", days=30, at=NOON)
    headers = {"authorization": f"Bearer {key.secret}", "idempotency-key": "one"}

    read = client.get("/api/farm/v1/greenhouses", headers=headers)
    switched = client.post(
        f"/api/farm/v1/outputs/{valve.pk}/commands",
        json.dumps({"op": "run", "seconds": 60}),
        content_type="application/json",
        headers=headers,
    )

    assert (read.status_code, switched.status_code) == (200, 403)
    assert switched.json()["code"] == "not-a-member"
    assert not Command.objects.exists()


def pages_from(client, first):
    """Every page of the greenhouses that its links lead to, by its address without a question."""
    pages, waiting = {}, [first]
    while waiting:
        url = waiting.pop()
        answer = client.get(url, follow=True)
        assert answer.status_code == 200, url
        is_page = answer["Content-Type"].startswith("text/html") and not answer.streaming
        pages[url] = answer.content.decode() if is_page else ""
        linked = re.findall(r'href="(/nha-mang[^"?#]*)', pages[url])
        waiting += [each for each in set(linked) if each not in pages and each not in waiting]
    return pages


def posted_from(content):
    """Where the forms of a page are sent to; "" is the page itself."""
    forms = re.findall(r"<form\b[^>]*>", content)
    posting = [form for form in forms if 'method="post"' in form]
    return [(re.search(r'\saction="([^"]*)"', form) or ["", ""])[1] for form in posting]


def test_a_program_of_who_only_looks_stops_an_output_and_has_seen_an_alarm(
    client, chairperson, valve
):
    key = api_tokens.make_token(user=chairperson, name="x", days=30, at=NOON)
    alarm = Alarm.objects.create(
        greenhouse=valve.node.greenhouse, key="x", kind="tank_low", severity=2,
        opened_at=NOON, last_at=NOON,
    )  # fmt: skip

    def send(path, body):
        headers = {"authorization": f"Bearer {key.secret}"}
        return client.post(
            f"/api/farm/v1/{path}", body, content_type="application/json", headers=headers
        )

    stopped = send(f"outputs/{valve.pk}/commands", {"op": "stop"})
    seen = send(f"alarms/{alarm.pk}/acknowledgement", None)

    assert (stopped.status_code, seen.status_code) == (202, 200)
    assert Command.objects.get().op == "stop"
    assert Alarm.objects.get().acknowledged_by == chairperson


def test_a_program_of_a_stranger_stops_nothing(client, valve):
    key = api_tokens.make_token(user=make_user(), name="x", days=30, at=NOON)

    answer = client.post(
        f"/api/farm/v1/outputs/{valve.pk}/commands",
        {"op": "stop"},
        content_type="application/json",
        headers={"authorization": f"Bearer {key.secret}"},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "not-a-member")
    assert not Command.objects.exists()


def test_who_only_looks_takes_back_their_own_key_and_no_other(client, chairperson):
    own, other = (
        api_tokens.make_token(user=user, name="x", days=30, at=NOON).token
        for user in (chairperson, make_user())
    )

    answers = [client.post(reverse("farm_token_revoke", args=[one.pk])) for one in (own, other)]
    form = client.get(reverse("farm_tokens")).content.decode()

    assert [answer.status_code for answer in answers] == [302, 404]
    own.refresh_from_db()
    assert own.revoked_at is not None
    assert 'name="days"' not in form


def test_who_only_looks_changes_and_leaves_their_own_watch_and_no_other(client, chairperson, valve):
    house = valve.node.greenhouse
    own, other = (make_watch(greenhouse=house, user=user) for user in (chairperson, make_user()))
    said = {"step": "2", "after_minutes": "5"}

    def ask(watch, **fields):
        return client.post(reverse("farm_watch", args=[watch.pk]), fields).status_code

    assert (ask(own, **said), ask(other, **said), ask(other, leave="1")) == (302, 403, 403)
    assert Watch.objects.get(pk=own.pk).step == 2
    assert "<form method" in client.get(reverse("farm_watch", args=[own.pk])).content.decode()
    foreign = client.get(reverse("farm_watch", args=[other.pk])).content.decode()
    assert 'name="leave"' not in foreign
    assert ask(own, leave="1") == 302
    assert list(Watch.objects.all()) == [other]


@pytest.mark.parametrize("is_stopped", [False, True])
def test_who_only_looks_finds_no_button_that_is_refused(client, chairperson, valve, is_stopped):
    house = valve.node.greenhouse
    Greenhouse.objects.filter(pk=house.pk).update(is_stopped=is_stopped, stopped_at=NOON)
    rule = make_rule(zone=valve.zone, outputs=[valve])
    limit = make_limit(channel=make_channel(node=valve.node, zone=valve.zone), high=35.0)
    batch = make_batch(zone=valve.zone)
    Alarm.objects.create(
        greenhouse=house, key="x", kind="tank_low", severity=2, opened_at=NOON, last_at=NOON
    )
    make_watch(greenhouse=house)
    pages = pages_from(client, reverse("farm_home"))

    sent_to = {action or page for page, content in pages.items() for action in posted_from(content)}

    answers = {action: client.post(action).status_code for action in sent_to}
    assert 403 not in answers.values(), answers
    assert any("da-biet" in action for action in sent_to)
    assert {
        reverse("farm_output", args=[valve.pk]),
        reverse("farm_output_place", args=[valve.pk]),
        reverse("farm_channel_place", args=[limit.channel_id]),
        reverse("farm_limits", args=[limit.channel_id]),
        reverse("farm_rule", args=[rule.pk]),
        reverse("farm_batch", args=[batch.code]),
        reverse("farm_stop", args=["nm2"]),
    } <= set(pages)


def test_who_only_looks_is_refused_a_page_that_is_nothing_but_a_form(client, chairperson, valve):
    limit = make_limit(channel=make_channel(node=valve.node, zone=valve.zone), high=35.0)
    watch = make_watch(greenhouse=valve.node.greenhouse)
    forms = [
        reverse("farm_release", args=["nm2"]),
        reverse("farm_limit", args=[limit.pk]),
        reverse("farm_watch", args=[watch.pk]),
    ]

    assert [client.get(form).status_code for form in forms] == [403] * 3
