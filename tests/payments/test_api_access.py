"""Who may call the partners' API, how often, and what it answers to questions."""

import base64
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from common import ratelimit
from payments.api import auth
from payments.models import ApiCall, BankPartner, PartnerKey
from payments.services import partners
from payments.services.bills import cancel_bill
from payments.services.partners import PartnerExistsError, TooManySecretsError
from tests.payments.bank import API, Bank
from tests.payments.factories import make_bill, make_biller

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank():
    return Bank()


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_a_token_is_kept_as_a_hash_only(bank):
    row = AccessToken.objects.get()

    assert bank.token not in str(row.__dict__)
    assert row.application.client_secret != bank.credentials.client_secret


def test_an_hmac_secret_is_sealed_at_rest(bank):
    key = PartnerKey.objects.get()

    assert bank.credentials.hmac_secret not in key.sealed_secret


@pytest.mark.parametrize(
    "grant", ["password", "authorization_code", "refresh_token", "", "implicit"]
)
def test_only_client_credentials_are_granted(bank, grant):
    pair = f"{bank.credentials.client_id}:{bank.credentials.client_secret}"
    answer = bank.client.post(
        "/oauth/token",
        {"grant_type": grant, "username": "0912345678", "password": "x"},
        headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
    )

    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()


def test_a_wrong_client_secret_gets_no_token(bank):
    pair = f"{bank.credentials.client_id}:wrong"
    answer = bank.client.post(
        "/oauth/token",
        {"grant_type": "client_credentials"},
        headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_guessing_client_secrets_is_slowed_down_by_address(bank):
    ratelimit.forget()

    answers = [bank.client.post("/oauth/token", {}).status_code for _ in range(70)]

    assert answers[-1] == 429
    assert 60 <= answers.index(429) + 1 <= 62


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer x", "Basic abc", "Bearer " + "x" * 40, "Bearer " + "é" * 30],
)
def test_without_a_known_token_nothing_is_answered(bank, header):
    answer = bank.get("billers", Authorization=header or "")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="payments"'
    assert answer.json()["code"] in {"token-missing", "token-invalid"}


def test_an_ended_token_and_a_closed_partner_are_refused(bank):
    AccessToken.objects.update(expires=timezone.now())
    auth.forget_sessions()
    ended = code_of(bank.get("billers"))
    bank.token = bank.fetch_token()
    BankPartner.objects.update(is_active=False)
    auth.forget_sessions()

    assert (ended, code_of(bank.get("billers"))) == ((401, "token-invalid"), (401, "token-invalid"))


def test_a_token_that_may_only_read_cannot_report_payments(bank):
    bank.token = bank.fetch_token(scope="bills:read")
    bill = make_bill()

    assert code_of(bank.pay(bill)) == (403, "scope-missing")
    assert (
        bank.post("inquiries", {"payment_code": bill.payment_code}, sign=False).status_code == 200
    )


def test_a_partner_that_calls_too_often_is_told_when_to_come_back(bank):
    BankPartner.objects.update(requests_per_minute=5)
    auth.forget_sessions()

    answers = [bank.get("billers") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["retry"] == "later"


def test_limits_are_open_and_calls_are_quick_when_redis_is_away(bank, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    ratelimit._redis.cache_clear()

    answers = [bank.get("billers").status_code for _ in range(20)]

    assert answers == [200] * 20
    ratelimit._redis.cache_clear()


@pytest.mark.parametrize(
    ("method", "path"),
    [("delete", "billers"), ("put", "payments"), ("get", "inquiries"), ("patch", "payments")],
)
def test_methods_that_do_not_exist_are_405_as_json(bank, method, path):
    answer = getattr(bank.client, method)(
        API + path, headers={"Authorization": f"Bearer {bank.token}"}
    )

    assert code_of(answer) == (405, "method-not-allowed")


def test_an_address_that_does_not_exist_is_404_as_json(bank):
    assert code_of(bank.get("nothing/here")) == (404, "no-such-address")
    assert code_of(bank.get("payments/not-a-uuid")) == (404, "no-such-address")
    assert code_of(bank.get("payments/a%0Ab")) == (404, "no-such-address")


def test_billers_are_listed_with_how_they_name_customers(bank):
    make_biller(
        code="nuoc",
        name="Nước sạch",
        customer_code_label="Mã khách hàng",
        customer_code_pattern="[0-9]{8}",
    )
    make_biller(code="cu", is_active=False)

    answer = bank.get("billers")

    assert answer.json() == {
        "billers": [
            {
                "code": "nuoc",
                "name": "Nước sạch",
                "service": "electricity",
                "amount_rule": "exact",
                "customer_code": {"label": "Mã khách hàng", "pattern": "[0-9]{8}"},
                "settlement_account": {
                    "bank_bin": "970405",
                    "number": "3512201000123",
                    "name": "DIEN LUC HAU LOC",
                },
            }
        ]
    }
    assert bank.get("billers", **{"If-None-Match": answer["ETag"]}).status_code == 304


def test_an_inquiry_tells_what_is_owed_and_masks_the_name(bank):
    bill = make_bill()

    answer = bank.post("inquiries", {"payment_code": bill.payment_code.lower()}, sign=False).json()

    assert answer["nothing_due"] is False
    assert answer["bills"] == [
        {
            "payment_code": bill.payment_code,
            "biller": bill.biller.code,
            "biller_name": "Điện lực Hậu Lộc",
            "reference": bill.reference,
            "customer_code": "PD0001",
            "payer_name_masked": "L** T** Hoa",
            "period": "11/2026",
            "due_date": "2026-11-30",
            "status": "open",
            "amount": 385_000,
            "paid": 0,
            "balance": 385_000,
            "amount_rule": "exact",
            "min_amount": 385_000,
            "max_amount": 385_000,
        }
    ]


def test_an_inquiry_by_customer_lists_what_is_due_oldest_first(bank):
    biller = make_biller(code="nuoc")
    late = make_bill(biller=biller, due_date="2026-12-30", customer_code="K1")
    early = make_bill(biller=biller, due_date="2026-10-30", customer_code="K1")
    make_bill(biller=biller, customer_code="K2")
    asked = {"biller": "nuoc", "customer_code": "K1"}

    due = bank.post("inquiries", asked, sign=False).json()
    bank.pay(late)
    bank.pay(early)
    nothing = bank.post("inquiries", asked, sign=False)
    unknown = bank.post("inquiries", asked | {"customer_code": "K9"}, sign=False)

    assert [bill["payment_code"] for bill in due["bills"]] == [
        early.payment_code,
        late.payment_code,
    ]
    assert (nothing.status_code, nothing.json()["nothing_due"], nothing.json()["bills"]) == (
        200,
        True,
        [],
    )
    assert code_of(unknown) == (404, "customer-not-found")


def test_only_the_inquiry_refuses_paid_cancelled_and_unknown_bills_and_amounts(bank):
    open_bill, paid, cancelled = make_bill(), make_bill(), make_bill()
    bank.pay(paid)
    cancel_bill(bill_id=cancelled.pk, reason="sai")

    def ask(**asked):
        return code_of(bank.post("inquiries", asked, sign=False))

    assert ask(payment_code=paid.payment_code) == (409, "bill-already-paid")
    assert ask(payment_code=cancelled.payment_code) == (409, "bill-cancelled")
    assert ask(payment_code="PL00000000Z") == (404, "bill-not-found")
    assert ask(payment_code=open_bill.payment_code, amount=1) == (422, "amount-out-of-rule")
    assert ask(payment_code=open_bill.payment_code, amount="1") == (400, "malformed")
    assert ask() == (400, "malformed")
    assert ApiCall.objects.filter(code="amount-out-of-rule", status=422).count() == 1


@pytest.mark.parametrize(
    ("rule", "low", "high"),
    [
        ("exact", 385_000, 385_000),
        ("at_most", 1, 385_000),
        ("at_least", 385_000, 499_999_999),
        ("any", 1, 499_999_999),
    ],
)
def test_the_amounts_that_a_biller_takes_follow_its_rule(bank, rule, low, high):
    bill = make_bill(biller=make_biller(amount_rule=rule))

    owed = bank.post("inquiries", {"payment_code": bill.payment_code}, sign=False).json()["bills"][
        0
    ]

    assert (owed["min_amount"], owed["max_amount"]) == (low, high)


def test_the_command_prints_credentials_once_as_json(capsys):
    call_command("create_bank_partner", "AGRIBANK", "--json")

    credentials = json.loads(capsys.readouterr().out)
    assert credentials["partner"] == "agribank"
    assert (
        Application.objects.get(client_id=credentials["client_id"]).authorization_grant_type
        == "client-credentials"
    )
    with pytest.raises(PartnerExistsError):
        partners.create_partner(code="agribank", name="", at=timezone.now())


def test_a_third_live_secret_is_refused(bank):
    now = timezone.now()
    partners.add_hmac_secret(partner=bank.partner, at=now)

    with pytest.raises(TooManySecretsError):
        partners.add_hmac_secret(partner=bank.partner, at=now)

    assert bank.partner.keys.count() == 2


def test_the_readable_description_comes_from_this_host_alone(client):
    page = client.get("/api/docs/")

    assert page.status_code == 200
    assert "http://" not in page.content.decode().replace("http://testserver", "")
    assert "https://" not in page.content.decode()


def test_keys_are_turned_over_by_command(bank, capsys):
    old = bank.credentials.hmac_key_id

    call_command("partner_key", bank.partner.code, "--add-hmac")
    call_command("partner_key", bank.partner.code, "--end", old)
    call_command("partner_key", bank.partner.code, "--add-ed25519", "A" * 43, "--kid", "ed-1")

    live = bank.partner.keys.live(at=timezone.now()).order_by("pk")
    assert [key.algorithm for key in live] == ["hmac-sha256", "eddsa"]
    assert old in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("partner_key", bank.partner.code, "--end", "nobody")
    with pytest.raises(CommandError):
        call_command("partner_key", bank.partner.code, "--add-ed25519", "short")
