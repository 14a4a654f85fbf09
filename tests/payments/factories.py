"""Builders of payments' rows; each gives a valid row, each field can be said otherwise."""

from datetime import UTC, date, datetime
from itertools import count

from addresses.models import Commune, Village
from payments.models import Bank, BankPartner, Bill, Biller
from payments.services import bills
from payments.services.booking import Booking, PaymentReport, record_payment
from residents.models import Household

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)  # 12:00 in Thanh Hoá
numbers = count(1)


def make_village(**changes) -> Village:
    number = next(numbers)
    commune, _ = Commune.objects.get_or_create(
        code="16072", defaults={"name": "Phú Lộc", "province": "Thanh Hoá"}
    )
    fields = {"commune": commune, "code": f"V{number}", "name": f"Thôn {number}"}
    return Village.objects.create(**fields | changes)


def make_household(**changes) -> Household:
    number = next(numbers)
    fields = {
        "code": f"H{number}",
        "representative": "Lê Thị Hoa",
        "representative_sort_key": "hoa",
        "search_key": "le thi hoa",
        "phone": "+84912345678",
    }
    if "village" not in changes:
        fields["village"] = make_village()
    return Household.objects.create(**fields | changes)


def make_bank(**changes) -> Bank:
    fields = {
        "bin": "970405",
        "short_name": "Agribank",
        "source": "test",
        "as_of": date(2026, 11, 1),
    }
    fields |= changes
    return Bank.objects.get_or_create(bin=fields.pop("bin"), defaults=fields)[0]


def make_biller(**changes) -> Biller:
    fields = {
        "code": f"dien-{next(numbers)}",
        "name": "Điện lực Hậu Lộc",
        "service": Biller.Service.ELECTRICITY,
        "account_number": "3512201000123",
        "account_name": "DIEN LUC HAU LOC",
    }
    if "bank" not in changes:
        fields["bank"] = make_bank()
    return Biller.objects.create(**fields | changes)


def make_bill(**changes) -> Bill:
    fields = {
        "reference": f"HD{next(numbers)}",
        "customer_code": "PD0001",
        "payer_name": "Lê Thị Hoa",
        "amount": 385_000,
        "period": "11/2026",
        "due_date": date(2026, 11, 30),
    }
    if "biller" not in changes:
        fields["biller"] = make_biller()
    return bills.issue_bill(**fields | changes)


def make_partner(**changes) -> BankPartner:
    fields = {"code": f"bank{next(numbers)}", "name": "Agribank Hậu Lộc"}
    return BankPartner.objects.create(**fields | changes)


def make_report(bill: Bill | None = None, **changes) -> PaymentReport:
    fields = {
        "bank_ref": f"FT{next(numbers)}",
        "amount": bill.amount if bill else 50_000,
        "paid_at": NOON,
        "channel": "qr",
        "payment_code": bill.payment_code if bill else "",
    }
    return PaymentReport(**fields | changes)


def pay(bill: Bill | None, partner: BankPartner, *, key: str = "", at=NOON, **changes) -> Booking:
    report = make_report(bill, **changes)
    return record_payment(partner=partner, key=key or report.bank_ref, report=report, at=at)
