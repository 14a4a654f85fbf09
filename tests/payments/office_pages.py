"""Addresses and words of the back office's pages about money."""

import re

from django.urls import reverse

from payments.models import ImportProfile, UnappliedMoney
from tests.payments.factories import make_partner, pay

HEADINGS = "Số HĐ,Mã KH,Họ tên,Số tiền"


def listing(model):
    return reverse(f"admin:payments_{model._meta.model_name}_changelist")


def page(row, name="change"):
    return reverse(f"admin:payments_{row._meta.model_name}_{name}", args=[row.pk])


def words(answer):
    """What a page says, without its tags; every space is a plain one."""
    text = re.sub(r"<(script|style).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\u2009", "").split())


def make_profile(biller):
    return ImportProfile.objects.create(
        biller=biller,
        reference_column="Số HĐ",
        customer_code_column="Mã KH",
        payer_name_column="Họ tên",
        amount_column="Số tiền",
    )


def make_unapplied(*, amount=385_000, memo="tien dien nha toi", partner=None):
    pay(None, partner or make_partner(), amount=amount, memo=memo)
    return UnappliedMoney.objects.latest("pk")
