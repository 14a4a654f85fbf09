"""A bank reports money by REST: each amount, repeat and signature has one defined answer."""

import base64
import json
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import OperationalError
from django.utils import timezone
from joserfc import jws
from joserfc.jwk import OKPKey

from payments import books
from payments.api import auth
from payments.models import ApiCall, Bill, Entry, Payment, UnappliedMoney
from payments.services import partners
from payments.services.bills import cancel_bill
from tests.payments.bank import API, Bank
from tests.payments.factories import make_bill

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank():
    return Bank()


@pytest.fixture(autouse=True)
def _books_are_right(db):
    yield
    assert books.discrepancies() == []


def refusal(answer):
    assert answer["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"], document["retry"]


def test_a_payment_is_booked_and_answered_with_its_receipt(bank):
    bill = make_bill()

    answer = bank.pay(bill, bank_ref="FT1")

    payment = Payment.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(payment.pk),
        "bank_ref": "FT1",
        "status": "booked",
        "amount": 385_000,
        "allocation": {
            "payment_code": bill.payment_code,
            "applied": 385_000,
            "unapplied": 0,
            "unapplied_reason": None,
        },
        "receipt": {
            "number": f"2026-{bill.biller.code}-000001",
            "url": f"http://localhost:8000/bien-lai/{payment.entry.receipt.token}/",
        },
        "paid_at": "2026-11-22T05:00:00Z",
        "booked_at": payment.booked_at.isoformat().replace("+00:00", "Z"),
        "reversed_at": None,
    }
    assert answer["Location"] == f"{API}payments/{payment.pk}"
    bill.refresh_from_db()
    assert bill.status == Bill.Status.PAID


def test_the_same_key_with_the_same_body_gets_the_first_answer(bank):
    bill = make_bill()
    first = bank.pay(bill, bank_ref="FT1", key="k1")

    again = bank.pay(bill, bank_ref="FT1", key="k1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert Entry.objects.count() == 1


def test_the_same_key_with_another_body_is_422_and_changes_nothing(bank):
    bill = make_bill(amount=100_000)
    bank.pay(bill, bank_ref="FT1", key="k1", amount=40_000)

    answer = bank.pay(bill, bank_ref="FT1", key="k1", amount=60_000)

    assert refusal(answer) == (422, "idempotency-key-reused", "never")
    bill.refresh_from_db()
    assert bill.paid == 40_000


@pytest.mark.parametrize("key", ["", "x" * 81, "tab\tkey"])
def test_without_a_usable_idempotency_key_nothing_is_booked(bank, key):
    answer = bank.pay(make_bill(), key=key)

    assert refusal(answer) == (400, "idempotency-key-missing", "after_fix")
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "-1",
        "385000.5",
        "385000.0",
        "1e6",
        '"385000"',
        "NaN",
        "Infinity",
        "true",
        "null",
        "[]",
        "1000000000000",
        "9" * 5000,
    ],
)
def test_an_amount_that_no_money_has_is_malformed_and_books_nothing(bank, amount):
    bill = make_bill()
    raw = (
        json.dumps(
            {
                "bank_ref": "FT1",
                "paid_at": "2026-11-22T12:00:00+07:00",
                "payment_code": bill.payment_code,
            }
        )[:-1]
        + f', "amount": {amount}}}'
    )

    answer = bank.post("payments", raw.encode())

    assert refusal(answer) == (400, "malformed", "after_fix")
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("amount", "applied", "unapplied", "status"),
    [
        (1, 1, 0, "part_paid"),
        (384_999, 384_999, 0, "part_paid"),
        (385_000, 385_000, 0, "paid"),
        (385_001, 385_000, 1, "paid"),
        (999_999_999_999, 385_000, 999_999_614_999, "paid"),
    ],
)
def test_every_amount_that_moved_is_booked(bank, amount, applied, unapplied, status):
    bill = make_bill()

    answer = bank.pay(bill, amount=amount)

    allocation = answer.json()["allocation"]
    assert (answer.status_code, allocation["applied"], allocation["unapplied"]) == (
        201,
        applied,
        unapplied,
    )
    bill.refresh_from_db()
    assert bill.status == status


def test_money_for_unknown_cancelled_and_paid_bills_is_booked_for_the_work_list(bank):
    cancelled, paid = make_bill(), make_bill()
    cancel_bill(bill_id=cancelled.pk, reason="sai")
    bank.pay(paid)

    reasons = [
        bank.pay(cancelled).json()["allocation"]["unapplied_reason"],
        bank.pay(paid).json()["allocation"]["unapplied_reason"],
        bank.pay(paid, payment_code="PL00000000Z").json()["allocation"]["unapplied_reason"],
        bank.pay(paid, payment_code="", memo="ung ho").json()["allocation"]["unapplied_reason"],
    ]

    assert reasons == ["bill_cancelled", "already_paid", "no_code", "no_code"]
    assert UnappliedMoney.objects.filter(remaining=385_000).count() == 4


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 15_000,
        b'{"amount": 1, "amount": 2}', b'{"bank_ref": "\\u0000", "amount": 1}',
        b'{"bank_ref": "\\ud800", "amount": 1, "paid_at": "2026-11-22T12:00:00Z"}',
        b'{"bank_ref": "A", "amount": 1, "paid_at": "2026-11-22T12:00:00"}',
        b'{"bank_ref": "A", "amount": 1, "paid_at": "2026-13-40T12:00:00Z"}',
        b'{"bank_ref": "A", "amount": 1, "paid_at": "9999-12-31T23:59:59-23:59"}',
        b'{"bank_ref": " A", "amount": 1, "paid_at": "2026-11-22T12:00:00Z"}',
    ],
)  # fmt: skip
def test_a_body_that_says_nothing_is_malformed(bank, raw):
    assert refusal(bank.post("payments", raw)) == (400, "malformed", "after_fix")
    assert not Entry.objects.exists()


def test_all_that_is_wrong_with_a_body_is_told_at_once(bank):
    answer = bank.post("payments", {"amount": True})

    assert [error["field"] for error in answer.json()["errors"]] == [
        "bank_ref",
        "amount",
        "paid_at",
    ]


def test_a_long_memo_and_an_unknown_channel_do_not_stop_money(bank):
    bill = make_bill()

    answer = bank.pay(
        bill, payment_code="", memo=f"{bill.payment_code} " + "x" * 2000, channel="smoke signal"
    )

    assert answer.json()["allocation"]["applied"] == 385_000
    payment = Payment.objects.get()
    assert (len(payment.memo), payment.channel) == (500, "other")


def test_what_does_not_change_the_money_never_stops_it(bank):
    bill = make_bill()

    answer = bank.pay(
        bill,
        memo=5,
        inquiry_id="INQ-1",
        payer_account_masked="\x1f***123",
        channel=None,
    )

    payment = Payment.objects.get()
    assert answer.status_code == 201
    assert (payment.memo, payment.inquiry_id, payment.channel) == ("5", None, "other")
    assert payment.payer_account_masked == "***123"


def test_a_log_that_cannot_be_written_changes_no_answer(bank, monkeypatch):
    def fail(**fields):
        raise OperationalError

    monkeypatch.setattr(ApiCall.objects, "create", fail)

    assert bank.get("billers").status_code == 200
    assert refusal(bank.post("payments", b"{")) == (400, "malformed", "after_fix")


def test_a_body_over_16_kib_and_another_content_type_are_refused(bank):
    too_large = bank.post("payments", b"x" * 17_000)
    form = bank.client.post(
        API + "payments", {"amount": 1}, headers={"Authorization": f"Bearer {bank.token}"}
    )

    assert refusal(too_large) == (413, "too-large", "never")
    assert refusal(form) == (415, "not-json", "after_fix")


@pytest.mark.parametrize(
    ("shift", "answer"),
    [
        (-299, 201),
        (299, 201),
        (-302, (401, "timestamp-outside-window", "after_fix")),
        (302, (401, "timestamp-outside-window", "after_fix")),
    ],
)
def test_a_signature_holds_for_300_seconds(bank, shift, answer):
    bill = make_bill()
    body = json.dumps(
        {
            "bank_ref": "FT1",
            "amount": 385_000,
            "paid_at": "2026-11-22T12:00:00Z",
            "payment_code": bill.payment_code,
        }
    ).encode()

    got = bank.post(
        "payments", body, **{"X-Signature": bank.signature(body, at=time.time() + shift)}
    )

    assert (got.status_code if answer == 201 else refusal(got)) == answer


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1,v1=00",
        "v1=" + "0" * 64,
        "t=1763000000,v1=" + "0" * 64,
        "t=now,v1=" + "0" * 64,
        "x" * 5000,
    ],
)
def test_a_wrong_signature_books_nothing(bank, header):
    bill = make_bill()

    answer = bank.post("payments", {"amount": bill.amount}, **{"X-Signature": header or None})

    assert refusal(answer)[0] == 401
    assert refusal(answer)[1] in {"signature-missing", "signature-invalid"}
    assert not Entry.objects.exists()


def test_a_signature_of_another_body_is_invalid(bank):
    bill = make_bill()
    other = bank.signature(b"{}")

    answer = bank.post(
        "payments", {"bank_ref": "A", "amount": bill.amount}, **{"X-Signature": other}
    )

    assert refusal(answer) == (401, "signature-invalid", "after_fix")


def test_two_secrets_live_side_by_side_and_an_ended_one_no_longer_signs(bank):
    now = timezone.now()
    old = bank.credentials.hmac_key_id
    _, new_secret = partners.add_hmac_secret(partner=bank.partner, at=now)
    auth.forget_sessions()
    body = json.dumps({"bank_ref": "A", "amount": 1, "paid_at": "2026-11-22T12:00:00Z"}).encode()
    by_new = {"X-Signature": bank.signature(body, secret=new_secret)}

    both = [
        bank.post("payments", body, key="1").status_code,
        bank.post("payments", body, key="2", **by_new).status_code,
    ]
    partners.end_key(partner=bank.partner, kid=old, at=now - timedelta(seconds=1))
    auth.forget_sessions()
    after = [
        bank.post("payments", body, key="3").status_code,
        bank.post("payments", body, key="4", **by_new).status_code,
    ]

    assert (both, after) == ([201, 200], [401, 200])


def detached(private, body: bytes, *, kid: str, raw: bool = False, **claims) -> str:
    header = {"alg": "EdDSA", "kid": kid, "iat": int(time.time())} | claims
    if raw:
        header |= {"b64": False, "crit": ["b64"]}
    compact = jws.serialize_compact(header, body, private, registry=auth.REGISTRY)
    first, *_, last = compact.split(".")
    return f"{first}..{last}"


@pytest.fixture
def jws_key(bank):
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    encoded = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    partners.add_public_key(partner=bank.partner, kid="ed-1", public_key=encoded, at=timezone.now())
    auth.forget_sessions()
    return OKPKey.import_key(private)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_a_detached_jws_signs_as_well(bank, jws_key, raw, alg):
    body = json.dumps({"bank_ref": "A", "amount": 1, "paid_at": "2026-11-22T12:00:00Z"}).encode()
    signature = detached(
        jws_key, body, kid="ed-1", raw=raw, alg=alg, url=f"{API}payments", method="POST"
    )

    answer = bank.post("payments", body, sign=False, **{"X-JWS-Signature": signature})

    assert answer.status_code == 201


WRONG_JWS = {
    "another body": lambda key, body: detached(key, body + b" ", kid="ed-1"),
    "unknown key": lambda key, body: detached(key, body, kid="ed-2"),
    "another address": lambda key, body: detached(key, body, kid="ed-1", url="/other"),
    "another method": lambda key, body: detached(key, body, kid="ed-1", method="GET"),
    "forged": lambda key, body: detached(OKPKey.generate_key("Ed25519"), body, kid="ed-1"),
    "old": lambda key, body: detached(key, body, kid="ed-1", iat=int(time.time()) - 400),
    "no time": lambda key, body: detached(key, body, kid="ed-1", iat=True),
    "alg none": lambda key, body: "eyJhbGciOiJub25lIiwia2lkIjoiZWQtMSIsImlhdCI6MX0..",
    "empty": lambda key, body: "..",
    "no jws": lambda key, body: "a.b.c.d",
}


@pytest.mark.parametrize("wrong", WRONG_JWS.values(), ids=WRONG_JWS.keys())
def test_a_wrong_jws_books_nothing(bank, jws_key, wrong):
    body = json.dumps({"bank_ref": "A", "amount": 1, "paid_at": "2026-11-22T12:00:00Z"}).encode()

    answer = bank.post("payments", body, sign=False, **{"X-JWS-Signature": wrong(jws_key, body)})

    assert refusal(answer)[0] == 401
    assert not Entry.objects.exists()


def test_a_partner_sees_and_takes_back_only_its_own_payments(bank):
    other = Bank("vietinbank", client=bank.client)
    bill = make_bill()
    payment = bank.pay(bill, bank_ref="FT1").json()
    reversal = {"bank_ref": "FT1", "reason_code": "duplicate"}

    assert refusal(other.get(f"payments/{payment['id']}")) == (404, "payment-not-found", "never")
    assert other.get("payments?bank_ref=FT1").json() == {"payments": []}
    assert refusal(other.post(f"payments/{payment['id']}/reversals", reversal))[:2] == (
        404,
        "payment-not-found",
    )
    bill.refresh_from_db()
    assert bill.status == Bill.Status.PAID


def test_did_you_get_it_is_answered_with_what_was_booked(bank):
    bill = make_bill()
    booked = bank.pay(bill, bank_ref="FT 1/2").json()

    found = bank.get("payments?bank_ref=FT%201/2")
    one = bank.get(f"payments/{booked['id']}")

    assert found.json() == {"payments": [booked]}
    assert one.json() == booked
    assert bank.get(f"payments/{booked['id']}", **{"If-None-Match": one["ETag"]}).status_code == 304
    assert bank.get("payments?bank_ref=FT9").json() == {"payments": []}
    assert refusal(bank.get("payments"))[:2] == (400, "malformed")


def test_a_reversal_opens_the_bill_again_once(bank):
    bill = make_bill()
    booked = bank.pay(bill, bank_ref="FT1").json()
    path = f"payments/{booked['id']}/reversals"
    body = {"bank_ref": "FT1", "reason_code": "duplicate", "note": "hai lần"}

    first = bank.post(path, body, key="r1")
    again = bank.post(path, body, key="r1")
    other = bank.post(path, body, key="r2")
    changed = bank.post(path, body | {"note": "khác"}, key="r1")

    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (
        201,
        200,
        "true",
    )
    assert again.content == first.content
    assert refusal(other) == (409, "already-reversed", "never")
    assert refusal(changed) == (422, "idempotency-key-reused", "never")
    bill.refresh_from_db()
    assert (bill.status, bill.paid) == (Bill.Status.OPEN, 0)
    assert bank.get(f"payments/{booked['id']}").json()["status"] == "reversed"
    assert bank.pay(bill, bank_ref="FT1").json()["bank_ref"] == "FT1"


def test_a_repeat_of_a_payment_after_its_reversal_still_gets_the_first_answer(bank):
    bill = make_bill()
    first = bank.pay(bill, bank_ref="FT1", key="k1")
    bank.post(
        f"payments/{first.json()['id']}/reversals", {"bank_ref": "FT1", "reason_code": "fraud"}
    )

    again = bank.pay(bill, bank_ref="FT1", key="k1")

    assert again.content == first.content
    bill.refresh_from_db()
    assert bill.status == Bill.Status.OPEN


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"bank_ref": "FT2"}, (422, "bank-ref-differs", "after_fix")),
        ({"reason_code": "mood"}, (400, "malformed", "after_fix")),
        ({"reason_code": ""}, (400, "malformed", "after_fix")),
    ],
)
def test_a_reversal_that_does_not_fit_is_refused_and_changes_nothing(bank, change, expected):
    bill = make_bill()
    booked = bank.pay(bill, bank_ref="FT1").json()

    answer = bank.post(
        f"payments/{booked['id']}/reversals",
        {"bank_ref": "FT1", "reason_code": "duplicate"} | change,
    )

    assert refusal(answer) == expected
    bill.refresh_from_db()
    assert bill.status == Bill.Status.PAID


def test_every_call_is_logged_once_with_its_answer_and_without_secrets(bank):
    bill = make_bill()
    bank.pay(bill, bank_ref="FT1", key="k1")
    bank.pay(bill, bank_ref="FT1", key="k1")
    bank.pay(bill, bank_ref="FT1", key="k1", amount=1)
    bank.post("payments", b"{")
    bank.get("payments?bank_ref=FT1")
    bank.post("inquiries", {"payment_code": bill.payment_code}, sign=False)
    bank.post("inquiries", {"payment_code": "PL0"}, sign=False)

    calls = ApiCall.objects.order_by("pk")

    assert [(call.status, call.code, call.subject) for call in calls] == [
        (201, "booked", "FT1"),
        (200, "replayed", "FT1"),
        (422, "idempotency-key-reused", ""),
        (400, "malformed", ""),
        (200, "answered", "FT1"),
        (409, "bill-already-paid", bill.payment_code),
        (404, "bill-not-found", "PL0"),
    ]
    assert {call.partner_id for call in calls} == {bank.partner.pk}
    assert all(len(call.request_id) == 32 for call in calls)
    secrets = (bank.token, bank.credentials.hmac_secret, bank.credentials.client_secret)
    assert not any(secret in str(call.__dict__) for call in calls for secret in secrets)
