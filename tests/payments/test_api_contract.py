"""The API keeps the contract that its schema states, whatever it is sent."""

import json
from pathlib import Path
from unittest.mock import patch

import pytest
import schemathesis
import yaml
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from commune_portal.wsgi import application
from payments.api import bodies, serializers
from payments.api.problems import ProblemError
from tests.payments.bank import Bank
from tests.payments.factories import make_bill

COMMITTED = Path(django_settings.BASE_DIR, "docs", "openapi.yaml")
schema = schemathesis.openapi.from_path(COMMITTED)
schema.app = application


@pytest.mark.django_db
def test_the_committed_schema_is_what_the_code_says(tmp_path):
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(fresh))

    assert COMMITTED.read_text() == fresh.read_text(), "run: make openapi"


def test_the_schema_is_openapi_3_1_and_names_what_the_contract_needs():
    document = yaml.safe_load(COMMITTED.read_text())

    assert document["openapi"] == "3.1.0"
    assert {
        (path.removeprefix("/api/payments/v1"), method)
        for path, item in document["paths"].items()
        for method in item
    } == {
        ("/billers", "get"),
        ("/inquiries", "post"),
        ("/payments", "post"),
        ("/payments", "get"),
        ("/payments/{payment_id}", "get"),
        ("/payments/{payment_id}/reversals", "post"),
    }


@pytest.fixture
def bank(db):
    opened = Bank()
    # As Django's own test client does: a request's end must not close the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield opened
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow  # two dozen generated calls for each of six operations
@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_nothing_breaks_and_every_answer_fits_the_schema(case, bank):
    case.headers["Authorization"] = f"Bearer {bank.token}"
    case.headers["X-Request-ID"] = "contract-test"
    # The signature's own rules have their own tests; here the bodies behind it are meant.
    with patch("payments.api.auth.check_signature"), patch("common.ratelimit.take", return_value=0):
        response = case.call()

    case.validate_response(
        response,
        checks=CHECKS.get_by_names(
            [
                "not_a_server_error",
                "response_schema_conformance",
                "content_type_conformance",
                "status_code_conformance",
            ]
        ),
    )


AMOUNT = st.one_of(
    st.integers(-5, 10**13), st.booleans(), st.none(), st.floats(), st.text(max_size=5)
)


@given(
    amount=AMOUNT,
    bank_ref=st.one_of(st.text(max_size=90), st.from_regex(serializers.PRINTABLE, fullmatch=True)),
)
def test_the_parser_and_the_schemas_serializer_agree(amount, bank_ref):
    body = {"amount": amount, "bank_ref": bank_ref, "paid_at": "2026-11-22T12:00:00+07:00"}
    is_strict_integer = isinstance(amount, int) and not isinstance(amount, bool)
    serializer = serializers.PaymentIn(data=body)
    # DRF's integer field is more lenient than JSON Schema's: text and whole floats pass it.
    expected = is_strict_integer and serializer.is_valid() and bank_ref.strip() == bank_ref

    try:
        bodies.payment(json.dumps(body).encode())
    except ProblemError:
        accepted = False
    else:
        accepted = True

    assert accepted == expected


def test_a_bill_can_be_inquired_and_paid_by_what_the_schema_alone_says(bank):
    bill = make_bill()

    owed = bank.post("inquiries", {"payment_code": bill.payment_code}, sign=False).json()["bills"][
        0
    ]
    paid = bank.post(
        "payments",
        {
            "bank_ref": "FT1",
            "amount": owed["max_amount"],
            "paid_at": "2026-11-22T12:00:00Z",
            "payment_code": owed["payment_code"],
        },
    )

    assert paid.json()["allocation"]["applied"] == owed["balance"]
