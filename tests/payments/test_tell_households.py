"""A household hears of each receipt once."""

import pytest

from notifications.models import Message
from payments.models import ReceiptNotice
from payments.services.receipts import tell_households
from residents.models import Resident
from tests.accounts.factories import make_person
from tests.payments.factories import NOON, make_bill, make_household, make_partner, pay

pytestmark = pytest.mark.django_db


def test_everybody_who_speaks_for_the_household_finds_it_in_the_inbox_once():
    speaker, daughter, stranger = (make_person(phone=f"+8491234567{n}") for n in (1, 2, 3))
    household = make_household(phone=speaker.phone)
    Resident.objects.create(
        household=household, code="R1", full_name="Lê Thị Lan", sex="female", phone=daughter.phone
    )
    bill = make_bill(household=household)
    booking = pay(bill, make_partner())

    told = [tell_households(limit=10, at=NOON) for _ in range(2)]

    assert told == [1, 0]
    messages = Message.objects.order_by("user__phone")
    assert [message.user for message in messages] == [speaker, daughter]
    assert not Message.objects.filter(user=stranger).exists()
    assert messages[0].link == f"/bien-lai/{booking.receipt_token}/"
    assert booking.receipt_number in messages[0].text


def test_a_receipt_of_a_bill_without_a_household_is_told_to_nobody():
    pay(make_bill(), make_partner())

    assert tell_households(limit=10, at=NOON) == 1
    assert not Message.objects.exists()
    assert ReceiptNotice.objects.count() == 1
