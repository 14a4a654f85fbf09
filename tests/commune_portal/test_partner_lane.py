"""The short lane for partner banks: what it spares, and what it leaves alone."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory

from commune_portal import middleware
from commune_portal.middleware import PartnerApiLane

NO_SUCH_CALL = "/api/payments/v1/nothing"


@pytest.fixture
def clock(monkeypatch):
    moment = [1000.0]
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
