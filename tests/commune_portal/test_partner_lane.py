"""The short lane for partner banks: what it spares, and what it leaves alone."""

import threading
from io import BytesIO

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory

from commune_portal import middleware
from commune_portal.front_door import FrontDoor
from commune_portal.middleware import PartnerApiLane

pytestmark = pytest.mark.django_db
NO_SUCH_CALL = "/api/payments/v1/nothing"


@pytest.fixture
def clock(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr(middleware, "_this_thread", threading.local())
    monkeypatch.setattr(middleware.time, "monotonic", lambda: moment[0])
    return moment


def pinged(lane, path: str = NO_SUCH_CALL) -> bool:
    connection.health_check_done = False
    lane(RequestFactory().get(path))
    return not connection.health_check_done


def test_a_session_used_a_moment_ago_is_not_asked_whether_it_lives(clock):
    lane = PartnerApiLane(lambda request: HttpResponse())

    first, again = pinged(lane), pinged(lane)
    clock[0] += 1.5
    after_a_pause = pinged(lane)

    assert (first, again, after_a_pause) == (True, False, True)


def test_pages_for_people_take_the_whole_road_with_its_ping(clock):
    lane = PartnerApiLane(lambda request: HttpResponse("page"))
    pinged(lane)

    assert pinged(lane, "/hoa-don/")
    assert lane(RequestFactory().get("/hoa-don/")).content == b"page"


@pytest.mark.parametrize("path", ["nothing", "", "payments/x", "billers/"])
def test_an_address_that_the_api_lacks_is_answered_in_its_own_way(path):
    answer = PartnerApiLane(lambda request: HttpResponse())(
        RequestFactory().get(f"/api/payments/v1/{path}")
    )

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


REQUEST_ID = "same-for-both"


def through_the_front_door(path: str) -> tuple[str, dict[str, str], bytes]:
    environ = RequestFactory().get(path, headers={"X-Request-ID": REQUEST_ID}).environ
    environ |= {"wsgi.input": BytesIO()}
    told = []
    body = FrontDoor(lambda environ, start_response: [b"page"])(
        environ, lambda *head: told.append(head)
    )
    status, headers = told[0] if told else ("", [])
    return status, dict(headers), b"".join(body)


def test_a_web_server_gets_the_lane_s_answer_with_id_and_security_headers(client):
    status, headers, body = through_the_front_door(NO_SUCH_CALL)

    by_middleware = client.get(NO_SUCH_CALL, headers={"X-Request-ID": REQUEST_ID})
    assert (status, headers["X-Request-ID"]) == ("404 Not Found", REQUEST_ID)
    assert headers == dict(by_middleware.items())
    assert body == by_middleware.content


def test_only_a_call_by_https_is_told_to_stay_with_it(settings):
    settings.SECURE_HSTS_SECONDS = 3600
    door = FrontDoor(lambda environ, start_response: [b"page"])

    def told(scheme: str) -> str | None:
        environ = RequestFactory().get(NO_SUCH_CALL).environ | {"wsgi.url_scheme": scheme}
        heads = []
        door(environ, lambda *head: heads.append(head))
        return dict(heads[0][1]).get("Strict-Transport-Security")

    assert [told("https"), told("http"), told("https")] == ["max-age=3600", None, "max-age=3600"]


def test_a_web_server_gets_every_page_from_django_s_handler():
    assert through_the_front_door("/hoa-don/") == ("", {}, b"page")
