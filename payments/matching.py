"""Which bills may money without a bill be for? Guesses for an official's eye; nothing is booked.

A payer who types a code by hand gets one sign wrong, leaves one out, doubles one, or swaps two.
Each such slip is undone in all ways; the check character leaves about one in 32 of the results
standing, so that few codes have to be looked up.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.text import fold
from payments import payment_code
from payments.models import Bill, Payment, UnappliedMoney

LIMIT: Final = 8
# Of bills with the same amount alone there may be very many: a guess needs no more than these.
CANDIDATES: Final = 300
NAME_LENGTHS: Final = (3, 4)
RUNS: Final = 24
NEAR: Final = timedelta(days=45)

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LIKE: Final = re.compile(r"(?=(P[L1I][0-9A-Z]{8,10}))")
_CUSTOMER_LIKE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{2,39}")


class Guess(NamedTuple):
    """A bill that may be meant, how likely, and why in words."""

    bill: Bill
    score: int
    reasons: list[str | Promise]


def guesses(money: UnappliedMoney) -> list[Guess]:
    """Payable bills that this money may be for, the likeliest first. One query.

    Needs `entry__payment` and `bill` loaded.
    """
    payment = money.entry.payment
    codes = set(_near_codes(payment.memo))
    customers = {found.upper() for found in _CUSTOMER_LIKE.findall(payment.memo)}
    wanted = (
        Q(payment_code__in=codes)
        | Q(customer_code__in=customers)
        | Q(amount=F("paid") + money.remaining)
        | _of_households_named_in(payment.memo)
    )
    if money.bill is not None:
        wanted |= Q(biller=money.bill.biller_id, customer_code=money.bill.customer_code)
        if money.bill.household_id:
            wanted |= Q(household=money.bill.household_id)
    bills = (
        Bill.objects.payable()
        .filter(wanted)
        .select_related("biller", "household__village")
        .order_by("-pk")[:CANDIDATES]
    )
    found = [_judge(bill, money, payment, codes) for bill in bills]
    return sorted(found, key=lambda guess: (-guess.score, -guess.bill.pk))[:LIMIT]


def _judge(bill: Bill, money: UnappliedMoney, payment: Payment, codes: set[str]) -> Guess:
    memo = f" {fold(payment.memo)} "
    signs: list[tuple[bool, int, str | Promise]] = [
        (bill.payment_code in codes, 8, _("its payment code is in the message, one sign off")),
        (f" {fold(bill.customer_code)} " in memo, 6, _("its customer code is in the message")),
        (_is_named(bill, memo), 5, _("the payer's name is in the message")),
        (_is_of_same_house(bill, money.bill), 4, _("it is the same household's")),
        (bill.balance == money.remaining, 3, _("the amount is the same")),
        (_is_near(bill, payment), 1, _("it is due at about that time")),
    ]
    held = [(weight, words) for is_so, weight, words in signs if is_so]
    return Guess(bill, sum(weight for weight, _words in held), [words for _weight, words in held])


def _is_of_same_house(bill: Bill, named: Bill | None) -> bool:
    if named is None:
        return False
    is_same_customer = (bill.biller_id, bill.customer_code) == (
        named.biller_id,
        named.customer_code,
    )
    return is_same_customer or (
        bill.household_id is not None and bill.household_id == named.household_id
    )


def _is_named(bill: Bill, memo: str) -> bool:
    names = [bill.payer_name, bill.household.representative if bill.household else ""]
    return any(name and f" {fold(name)} " in memo for name in names)


def _of_households_named_in(memo: str) -> Q:
    """Match bills of households whose representative's name, of three or four words, is there."""
    words = fold(memo).split()
    runs = [
        " ".join(words[start : start + length])
        for start in range(len(words))
        for length in NAME_LENGTHS
        if start + length <= len(words)
    ]
    named = (("household__search_key__startswith", f"{run} ") for run in runs[:RUNS])
    return Q(*named, _connector=Q.OR)


def _is_near(bill: Bill, payment: Payment) -> bool:
    return bill.due_date is not None and abs(bill.due_date - payment.paid_at.date()) <= NEAR


def _near_codes(memo: str) -> Iterator[str]:
    """Give valid codes that are one slip of the hand away from something in the memo."""
    plain = re.sub(r"[^A-Z0-9]", "", memo.upper())
    for found in _CODE_LIKE.finditer(plain):
        for length in (8, 9, 10):
            body = payment_code.normalise(found[1][: len(payment_code.PREFIX) + length])
            yield from filter(payment_code.is_valid, _one_slip_away(body))


def _one_slip_away(code: str) -> Iterator[str]:
    start, length = len(payment_code.PREFIX), payment_code.CODE_LENGTH
    places = range(start, len(code))
    if len(code) == length:
        for place in places:
            for letter in _ALPHABET:
                yield code[:place] + letter + code[place + 1 :]
            yield code[:place] + code[place + 1 : place + 2] + code[place] + code[place + 2 :]
    elif len(code) == length - 1:
        for place in range(start, len(code) + 1):
            for letter in _ALPHABET:
                yield code[:place] + letter + code[place:]
    else:
        for place in places:
            yield code[:place] + code[place + 1 :]
