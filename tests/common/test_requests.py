"""What each request carries and leaves behind: its id, its address, a log line without secrets."""

import json
import logging

import pytest
from django.test import RequestFactory

from common.ids import uuid7
from common.logs import JsonFormatter, MaskFilter, RequestIdFilter, masked
from common.middleware import current_request_id
from common.net import client_ip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sent to +84912345678", "sent to +8491****78"),
        ("gọi 0912 345 678 nhé", "gọi 091****78 nhé"),
        ("0912.345.678,0987654321", "091****78,098****21"),
        ("bill 2026-dien-000123 of 385000", "bill 2026-dien-000123 of 385000"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: ***"),
        ('{"client_secret": "s3cr3ts3cr3t"}', '{"client_secret": "***"}'),
        ("password=hunter22&x=1", "password=***&x=1"),
        ("token = abcdef", "token = ***"),
    ],
)
def test_personal_data_and_secrets_are_masked(text, shown):
    assert masked(text) == shown


def test_a_log_line_is_one_json_object_with_the_request_id():
    record = logging.LogRecord("portal", logging.INFO, "", 1, "số %s", ("0912345678",), None)
    token = current_request_id.set("abc123def")
    RequestIdFilter().filter(record)
    MaskFilter().filter(record)
    current_request_id.reset(token)

    line = json.loads(JsonFormatter().format(record))

    assert (line["level"], line["logger"], line["message"], line["request_id"]) == (
        "INFO",
        "portal",
        "số 091****78",
        "abc123def",
    )


def test_an_exception_in_the_log_is_masked_too():
    try:
        int("0912345678x")
    except ValueError as error:
        record = logging.LogRecord(
            "portal", logging.ERROR, "", 1, "x", (), (ValueError, error, error.__traceback__)
        )

    assert "0912345678" not in JsonFormatter().format(record)


@pytest.mark.parametrize("offered", ["abc-123_DEF.4", "x" * 40])
def test_a_callers_request_id_is_kept(client, offered):
    assert client.get("/healthz", headers={"X-Request-ID": offered})["X-Request-ID"] == offered


@pytest.mark.parametrize(
    "offered", ["short", "x" * 41, "with space in", "a\tb\tc\td\te", "<script>"]
)
def test_an_odd_request_id_is_replaced(client, offered):
    given = client.get("/healthz", headers={"X-Request-ID": offered})["X-Request-ID"]

    assert given != offered
    assert len(given) == 32


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.2.3.4", "10.0.0.9"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "not an address", ""),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_our_own_proxies_are_believed(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": forwarded}
    )

    assert client_ip(request) == address


def test_ids_are_version_7_and_sort_by_time():
    made = [uuid7() for _ in range(200)]

    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    milliseconds = [one.int >> 80 for one in made]
    assert milliseconds == sorted(milliseconds)
