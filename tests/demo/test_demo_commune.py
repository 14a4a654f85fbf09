"""The demo commune is the same for everybody, so that a figure on a page can be checked.

The figures are those of docs/demo.md. Whoever changes the generator changes both.
"""

import json
import stat
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import override_settings

from accounts.models import User
from accounts.roles import Role
from addresses.models import Commune, Village
from addresses.selectors import current_commune, villages_of
from common import phone
from commune_portal.demo import bank, bills, people
from commune_portal.demo.accounts import (
    DEMO_ACCOUNTS,
    RESIDENT_OF_TWO_HOUSEHOLDS,
    RESIDENT_WITH_BILLS,
)
from commune_portal.demo.load import DemoCommune
from payments import books
from payments.models import (
    Bank,
    BankPartner,
    Bill,
    Biller,
    CustomerLink,
    Payment,
    Receipt,
    UnappliedMoney,
)
from residents.models import Household, Resident

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
BILLS = {
    "dien-luc": 2910, "nuoc-sach": 582, "mam-non": 469, "thcs": 421, "benh-vien": 95, "vnpt": 268,
    "ve-sinh": 600, "uy-ban": 56,
}  # fmt: skip
BILLED, OWED = 1_184_881_313, 654_679_887
OWED_BY_HONG = {
    "dien-luc": 377_201, "nuoc-sach": 122_200, "mam-non": 628_000, "thcs": 420_000,
    "vnpt": 165_000, "ve-sinh": 25_000,
}  # fmt: skip
GUIDE = Path(__file__).parents[2] / "docs" / "demo.md"


@pytest.fixture(scope="module")
def houses():
    return people.generate()


@pytest.fixture(scope="module")
def all_bills(houses):
    return bills.generate(houses)


@pytest.fixture
def small(tmp_path):
    """A demo of 40 households that is not loaded yet."""
    return DemoCommune(
        households=40, today=TODAY, at=NOON, credentials_file=tmp_path / "demo_bank.json"
    )


def everything():
    """Every row of the demo that a second run could change."""
    models = (
        Bank, BankPartner, Bill, Biller, CustomerLink, Commune, Household, Payment, Receipt,
        Resident, UnappliedMoney, User, Village, Authenticator,
    )  # fmt: skip
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_the_households_are_those_of_the_guide(houses):
    residents = [person for _house, _number, person in people.residents(houses)]

    assert len(houses) == 2000
    assert Counter(house.village for house in houses) == {
        "XY": 310, "PT": 290, "DT": 275, "YT": 255, "BH": 240, "HP": 225, "TL": 210, "MT": 195,
    }  # fmt: skip
    assert len(residents) == 7260
    assert sum(person.age in people.WORKING_AGES for person in residents) == 4384
    assert sum(person.age < 15 for person in residents) == 1575
    assert sum(person.age >= 60 for person in residents) == 1301
    assert Counter(person.residence for person in residents) == {
        "permanent": 6222,
        "away": 996,
        "temporary": 42,
    }
    assert Counter(person.sex for person in residents) == {"female": 3642, "male": 3618}
    assert sum(bool(house.phone) for house in houses) == 1743


def test_the_bills_are_those_of_the_guide(all_bills):
    assert Counter(bill.biller.code for bill in all_bills) == BILLS
    assert sum(bill.amount for bill in all_bills) == BILLED
    assert sum(bill.owed for bill in all_bills) == OWED
    assert sum(bool(bill.payments) for bill in all_bills) == 2375
    assert sum(bill.is_cancelled for bill in all_bills) == 5


def test_what_the_resident_of_the_guide_owes(all_bills):
    open_bills = {
        bill.biller.code: bill.owed
        for bill in all_bills
        if bill.household == "XY-0001" and bill.owed
    }

    assert open_bills == OWED_BY_HONG


def test_the_guide_tells_these_figures():
    guide = GUIDE.read_text(encoding="utf-8")
    figures = (2000, 7260, 4384, 1575, 1301, 996, 1743, 5401, 2381, BILLED, OWED, *BILLS.values())

    missing = [figure for figure in figures if f"{figure:,}".replace(",", ".") not in guide]

    assert missing == []
    assert [one.phone for one in DEMO_ACCOUNTS if phone.for_people(e164(one)) not in guide] == []


def test_another_seed_is_another_commune(houses):
    assert people.generate(seed=1) != houses
    assert people.generate() == houses


@pytest.mark.parametrize("count", [40, 41, 333])
def test_any_number_of_households_can_be_had(count):
    some = people.generate(households=count)

    assert len({house.code for house in some}) == count
    assert {house.code for house in some} > bills.SHOWN_HOUSEHOLDS
    assert {house.village for house in some} == {village.code for village in people.VILLAGES}


@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2028, 2, 29), date(2027, 3, 1)])
def test_people_have_their_age_on_whatever_day_it_is(today):
    for _house, _number, person in people.residents(people.generate(households=200)):
        born = person.birth_date(today=today)
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        assert today.year - born.year - (not had_birthday) == person.age


def test_every_number_is_a_valid_one_and_belongs_to_one_person(houses):
    numbers = [person.phone for _house, _number, person in people.residents(houses) if person.phone]

    assert [number for number in numbers if phone.to_e164(number) != number] == []
    assert len(numbers) == len(set(numbers))
    assert all(number.startswith("+8499000") for number in numbers)


def test_one_number_speaks_for_two_households(houses):
    shared = Counter(house.phone for house in houses if house.phone)

    assert [number for number, count in shared.items() if count > 1] == [
        e164(RESIDENT_OF_TWO_HOUSEHOLDS)
    ]
    assert shared[e164(RESIDENT_OF_TWO_HOUSEHOLDS)] == 2
    assert shared[e164(RESIDENT_WITH_BILLS)] == 1


def test_children_bear_their_fathers_name_and_are_younger(houses):
    families = [house.people for house in houses if house.code not in bills.SHOWN_HOUSEHOLDS]

    for family in families:
        children = [person for person in family if person.age < 15]
        grown = [person for person in family if person.age >= 18]
        names = {person.full_name.split()[0] for person in grown}
        assert all(child.full_name.split()[0] in names for child in children)


def test_bills_follow_the_calendar(all_bills):
    bill = next(bill for bill in all_bills if bill.month == 0)
    oldest = next(bill for bill in all_bills if bill.month == 2)

    assert bill.period(today=date(2026, 1, 5)) == "12/2025"
    assert oldest.period(today=date(2026, 1, 5)) == "10/2025"
    assert bill.due_date(today=TODAY) == date(2026, 12, 1)
    assert oldest.due_date(today=TODAY) == date(2026, 10, 13)


def test_nothing_was_paid_before_it_was_issued_or_in_the_future(all_bills):
    for bill in all_bills:
        for payment in bill.payments:
            paid = TODAY - timedelta(days=payment.days_ago)
            assert bill.issue_date(today=TODAY) < paid < TODAY


def test_no_bank_could_take_a_transfer_to_a_demo_account():
    assert [biller.code for biller in bills.BILLERS if biller.account_number.isdigit()] == []
    assert all(biller.account_name.startswith("DEMO ") for biller in bills.BILLERS)


@pytest.mark.slow  # loads 40 households with their bills and books, twice
@pytest.mark.django_db
def test_a_small_demo_is_loaded_once_and_its_books_balance(small):
    lines = list(small.load())

    assert [line.split(":")[0] for line in lines] == [
        "places", "banks", "people", "accounts", "billers", "bills", "partner bank", "payments",
        "greenhouses",
    ]  # fmt: skip
    assert Household.objects.count() == 40
    assert Resident.objects.count() == sum(len(house.people) for house in small.houses)
    assert Bill.objects.count() == len(small.bills)
    assert sum(bill.balance for bill in Bill.objects.payable()) == sum(
        bill.owed for bill in small.bills
    )
    assert Payment.objects.count() == sum(len(bill.payments) for bill in small.bills) + 3
    assert Receipt.objects.filter(notice__isnull=True).count() == 0
    assert UnappliedMoney.objects.filter(reason="no_code").count() == 3
    assert Bill.objects.filter(status="cancelled").exists()
    assert books.discrepancies() == []
    assert villages_of(current_commune(on=TODAY), on=TODAY).count() == 8
    before = everything()

    again = DemoCommune(
        households=40,
        today=TODAY + timedelta(days=3),
        at=NOON + timedelta(days=3),
        credentials_file=small.credentials_file,
    )

    assert list(again.load()) == []
    assert everything() == before


@pytest.mark.parametrize(
    ("stopped_in", "rest"),
    [
        (
            "commune_portal.demo.load.Resident.objects.bulk_create",
            ["people", "accounts", "billers", "bills", "partner bank", "payments", "greenhouses"],
        ),
        (
            "commune_portal.demo.load.cancel_bill",
            ["bills", "partner bank", "payments", "greenhouses"],
        ),
        ("commune_portal.demo.bank.create_partner", ["partner bank", "payments", "greenhouses"]),
        ("payments.services.history._write_receipts", ["payments", "greenhouses"]),
    ],
)
@pytest.mark.slow  # loads 40 households with their bills and books
@pytest.mark.django_db
def test_a_load_that_was_stopped_goes_on_where_it_stood(small, monkeypatch, stopped_in, rest):
    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(stopped_in, stop)
        with pytest.raises(KeyboardInterrupt):
            list(small.load())

    assert [line.split(":")[0] for line in small.load()] == rest
    assert Payment.objects.count() == sum(len(bill.payments) for bill in small.bills) + 3
    assert books.discrepancies() == []


@pytest.mark.django_db
def test_everybody_of_the_guide_can_sign_in(small):
    list(small.load())

    for account in DEMO_ACCOUNTS:
        user = User.objects.get(phone=e164(account))
        assert user.full_name == account.full_name
        assert user.is_phone_verified
        assert user.is_staff == bool(account.password)
        assert user.has_usable_password() == bool(account.password)
        assert (
            list(user.groups.values_list("name", flat=True)) == [account.role][: bool(account.role)]
        )
        totp = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        assert bool(totp) == bool(account.totp_secret)
    hong = User.objects.get(phone=e164(RESIDENT_WITH_BILLS))
    thang = User.objects.get(phone=e164(RESIDENT_OF_TWO_HOUSEHOLDS))
    assert [house.code for house in Household.objects.visible_to(hong)] == ["XY-0001"]
    assert Household.objects.visible_to(thang).count() == 2
    assert {account.role for account in DEMO_ACCOUNTS} >= {
        Role.FINANCE_OFFICER, Role.ONE_STOP_CLERK, Role.CHAIRPERSON, Role.CASHIER,
        Role.VILLAGE_HEAD, Role.AUDITOR, Role.COOPERATIVE_MEMBER,
    }  # fmt: skip


@pytest.mark.django_db
def test_the_banks_credentials_are_for_their_owner_only(tmp_path):
    file = tmp_path / "deep" / "demo_bank.json"

    assert bank.open_bank(file=file, at=NOON)

    written = json.loads(file.read_text(encoding="utf-8"))
    partner = BankPartner.objects.get()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (written["partner"], written["client_id"]) == (
        "DEMOBANK",
        partner.application.client_id,
    )
    assert not bank.open_bank(file=file, at=NOON)


@pytest.mark.django_db
def test_credentials_that_were_lost_are_made_anew_and_the_old_ones_end(tmp_path):
    file = tmp_path / "demo_bank.json"
    bank.open_bank(file=file, at=NOON)
    old = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    later = NOON + timedelta(days=1)

    assert bank.open_bank(file=file, at=later)

    new = json.loads(file.read_text(encoding="utf-8"))
    partner = BankPartner.objects.get()
    assert new["client_secret"] != old["client_secret"]
    assert [key.kid for key in partner.keys.live(at=later)] == [new["hmac_key_id"]]


@pytest.mark.django_db
def test_a_file_of_a_database_that_was_wiped_is_written_over(tmp_path):
    file = tmp_path / "demo_bank.json"
    file.write_text(json.dumps({"client_id": "of-another-time"}), encoding="utf-8")

    assert bank.open_bank(file=file, at=NOON)

    assert json.loads(file.read_text(encoding="utf-8"))["partner"] == "DEMOBANK"


@pytest.mark.django_db
def test_the_demo_is_never_mixed_into_real_data():
    with override_settings(DEMO=False), pytest.raises(CommandError, match="real data"):
        call_command("load_demo")

    assert not Household.objects.exists()


@pytest.mark.parametrize("count", [7, 2001])
def test_fewer_households_than_villages_or_too_many_are_refused(settings, count):
    settings.DEMO = True

    with pytest.raises(CommandError, match="from 8 to 2000"):
        call_command("load_demo", households=count)


@pytest.mark.django_db
def test_the_command_loads_as_many_households_as_it_is_told(settings, tmp_path):
    settings.DEMO, settings.VAR_DIR = True, tmp_path

    call_command("load_demo", households=8, stdout=(out := StringIO()))

    assert "people: 8 households" in out.getvalue()
    assert out.getvalue().endswith("the demo commune is there\n")
    assert (tmp_path / "demo_bank.json").exists()


def e164(account):
    return phone.to_e164(account.phone)
