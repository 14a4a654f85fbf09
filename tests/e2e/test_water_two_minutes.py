"""The journey of the greenhouse: a member sees the card, taps "water 2 minutes", sees it happen."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.roles import Role
from farm import frames
from farm.models import Alarm, Channel, Command, Rollup
from farm.services import commands
from tests.accounts.factories import make_person
from tests.e2e.conftest import SMALLEST
from tests.farm.factories import (
    make_batch,
    make_channel,
    make_greenhouse,
    make_node,
    make_output,
    make_watch,
    make_zone,
    measure,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a browser goes through the farm's pages
    pytest.mark.django_db(transaction=True),
]
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"runOnly": ["color-contrast"]}


@pytest.fixture
def member(page, sign_in):
    """A member of the cooperative, signed in on the phone."""
    for role in Role:
        Group.objects.get_or_create(name=role)  # a flushed database has lost them
    person = make_person(full_name="Lê Thị Hoa")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    sign_in(page.context, person)
    return person


@pytest.fixture
def valve(member):
    """A valve in a house that measures, with an alarm, a fan that runs and a sensor gone silent."""
    now = timezone.now()
    house = make_greenhouse(code="nm1", name="Nhà màng 1")
    zone = make_zone(greenhouse=house, name="Giàn 1", daily_litre_cap=500)
    node = make_node(greenhouse=house, heard_at=now, status_at=now, last_ping_ok_at=now)
    make_batch(zone=zone, sown_date=timezone.localdate() - timedelta(days=12))
    for quantity, value, age in (
        (Channel.Quantity.AIR_TEMPERATURE, 31.4, 5),
        (Channel.Quantity.RELATIVE_HUMIDITY, 74.0, 5),
        (Channel.Quantity.EC, 1.62, 5),
        (Channel.Quantity.TANK_VOLUME, 412.0, 5),
        (Channel.Quantity.PH, 5.9, 1200),
    ):
        channel = make_channel(node=node, zone=zone, quantity=quantity, stale_seconds=600)
        measure(channel, value, t=now - timedelta(seconds=age))
    told = {"state_at": now, "state_heard_at": now}
    make_output(node=node, code="fan-1", kind="fan", is_on=True, state_source="sched", **told)
    Alarm.objects.create(
        greenhouse=house, channel=channel, key="a", kind="limit", severity=2, opened_at=now,
        last_at=now, facts={"side": "low", "value": 5.9, "limit": 6, "since": now.isoformat()},
    )  # fmt: skip
    make_watch(greenhouse=house, user=member)
    return make_output(node=node, zone=zone, label="Van 1", flow_low=3, flow_high=8, **told)


def say(valve, command, word, **fields):
    """Let the controller say a word, as the bridge would hand it on."""
    now = timezone.now()
    ack = frames.Ack(id=command.pk, st=word, t_ms=round(now.timestamp() * 1000), boot=17, **fields)
    commands.take_ack(node=valve.node, ack=ack, at=now)


def assert_fit_for_everybody(page):
    """Nothing for axe in light and dark, nothing to scroll sideways, nothing too small to tap."""
    for scheme, rules in (("light", WCAG), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme)
        report = Axe().run(page, options=rules)
        assert report.violations_count == 0, f"{page.url} {scheme}\n{report.generate_report()}"
    size = page.viewport_size
    page.set_viewport_size(SMALLEST)
    assert page.evaluate("document.documentElement.scrollWidth") == SMALLEST["width"], page.url
    small = page.eval_on_selector_all(
        "main button:not([hidden]), main .button, .farm-nav a, main select, "
        "main input:not([hidden], [type=hidden], [type=checkbox], [type=radio])",
        """elements => elements.filter(e => e.getBoundingClientRect().height < 43.5)
                               .map(e => e.outerHTML.slice(0, 80))""",
    )
    assert small == [], page.url
    page.set_viewport_size(size)


def test_see_the_card_water_two_minutes_and_see_it_done(page, live_server, valve, complaints):
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="Open the greenhouses").click()
    expect(page.locator(".value.is-off").first).to_contain_text("31.4")
    expect(page.locator(".value.is-stale")).to_contain_text(re.compile("old, 2[01] minutes"))
    assert_fit_for_everybody(page)
    page.get_by_role("link", name="Open, water").click()
    assert_fit_for_everybody(page)

    page.get_by_role("button", name="Water 2 minutes").dblclick()
    now = page.locator(".progress li.is-now")
    expect(now).to_have_text("waiting to be sent")
    command = Command.objects.get()
    commands.send_due(publish=lambda *_message: None, at=timezone.now())
    expect(now).to_have_text("the controller has it", timeout=8_000)
    say(valve, command, "accepted")
    say(valve, command, "started")
    expect(now).to_have_text(re.compile(r"watering, (2:00|1:5\d) left"), timeout=8_000)
    expect(page.locator(".running button")).to_be_in_viewport()
    assert_fit_for_everybody(page)
    say(valve, command, "done", ran_s=120, l=8.0)

    expect(page.locator(".progress")).to_contain_text("done, 2 minutes, 8 litres", timeout=8_000)
    expect(page.locator("#told")).to_have_text("done, 2 minutes, 8 litres")
    expect(page.get_by_role("button", name="Water 2 minutes")).to_be_visible()
    assert Command.objects.filter(op="run").count() == 1
    # "Not modified" is told as an error by the console of some versions, and is none.
    assert [line for line in complaints if "304" not in line] == []


def test_all_pages_of_the_farm_are_fit_for_everybody(page, live_server, valve, complaints):
    channel = Channel.objects.get(quantity=Channel.Quantity.AIR_TEMPERATURE)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for back in range(1, 20):
        Rollup.objects.create(
            channel=channel, level=900, bucket=hour - timedelta(minutes=15 * back), n=1, total=25,
            low=24, high=26, last=25,
        )  # fmt: skip
    lamp = make_output(
        node=valve.node, kind="light", max_seconds=86_400, is_dimmable=True, state_level=40
    )
    probe, in_hand = (
        make_channel(node=valve.node, quantity=Channel.Quantity.PH, calibrating_until=until)
        for until in (None, timezone.now() + timedelta(minutes=20))
    )
    for name, args in (
        ("farm_alarms", ()),
        ("farm_rules", ()),
        ("farm_devices", ()),
        ("farm_log_of_house", ("nm1",)),
        ("farm_chart", (channel.pk,)),
        ("farm_deficit_chart", (channel.pk,)),
        ("farm_limits", (channel.pk,)),
        ("farm_output", (valve.pk,)),
        ("farm_output", (lamp.pk,)),
        ("farm_calibration", (probe.pk,)),
        ("farm_calibration", (in_hand.pk,)),
        ("farm_lock", (valve.pk,)),
        ("farm_output_place", (valve.pk,)),
        ("farm_stop", ("nm1",)),
        ("farm_watch", (valve.node.greenhouse.watches.get().pk,)),
    ):
        page.goto(live_server.url + reverse(name, args=args))
        assert_fit_for_everybody(page)
    for kind in ("schedule", "light_sum", "hysteresis", "dosing"):
        page.goto(f"{live_server.url}{reverse('farm_rule_add', args=[kind])}?gian={valve.zone_id}")
        assert_fit_for_everybody(page)
    assert complaints == []


def test_the_chart_is_drawn_by_script_and_without_one(
    page, new_context, sign_in, member, live_server, valve
):
    channel = Channel.objects.get(quantity=Channel.Quantity.AIR_TEMPERATURE)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for back in range(1, 20):
        Rollup.objects.create(
            channel=channel, level=900, bucket=hour - timedelta(minutes=15 * back), n=1, total=25,
            low=24, high=26, last=25,
        )  # fmt: skip
    url = live_server.url + reverse("farm_chart", args=[channel.pk])

    page.goto(url)
    expect(page.locator("#chart canvas")).to_be_visible()

    plain = new_context(java_script_enabled=False)
    sign_in(plain, member)
    still = plain.new_page()
    still.goto(url)
    expect(still.locator("#chart svg path.spark-line")).to_have_count(1)


def test_water_and_stop_work_without_javascript(new_context, sign_in, member, live_server, valve):
    plain = new_context(java_script_enabled=False)
    sign_in(plain, member)
    page = plain.new_page()
    page.goto(f"{live_server.url}/nha-mang/nm1/")

    page.get_by_role("button", name="Water 2 minutes").click()
    expect(page.locator(".progress li.is-now")).to_have_text("waiting to be sent")
    page.locator(".running").get_by_role("button", name="Stop").click()

    assert (
        set(Command.objects.values_list("op", "status"))
        == {
            ("run", "aborted"),
            ("stop", "queued"),
        }
        or Command.objects.filter(op="stop").exists()
    )


def test_a_page_that_has_lost_the_server_says_so(page, live_server, valve):
    page.goto(f"{live_server.url}/nha-mang/nm1/")
    expect(page.locator("#lost")).to_be_hidden()

    page.context.set_offline(True)

    expect(page.locator("#lost")).to_be_visible(timeout=10_000)
    expect(page.locator("#live")).to_have_class(re.compile("is-lost"))
    page.get_by_role("button", name="Water 2 minutes").click()
    said = page.locator(".water-form").get_by_role("alert")
    expect(said).to_contain_text("This did not get through.")
    expect(said).to_be_in_viewport()
    assert Command.objects.count() == 0
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
