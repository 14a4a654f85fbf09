"""Whose customer code is whose household's."""

from typing import TYPE_CHECKING

from django.db import transaction

from payments.models import Bill, Biller, CustomerLink

if TYPE_CHECKING:
    from residents.models import Household


@transaction.atomic
def link_customer(*, biller: Biller, customer_code: str, household: "Household") -> CustomerLink:
    """Give a biller's customer code to a household, with its bills that had no household yet.

    A bill that already belongs to a household stays there. The same again changes nothing.
    """
    link, _is_new = CustomerLink.objects.update_or_create(
        biller=biller, customer_code=customer_code, defaults={"household": household}
    )
    Bill.objects.filter(biller=biller, customer_code=customer_code, household__isnull=True).update(
        household=household
    )
    return link
