"""Money that has moved: entries of balanced postings, never edited, corrected by more entries.

On PostgreSQL the database itself refuses unbalanced entries and any UPDATE, DELETE or TRUNCATE
of these tables (migration 0002); on SQLite the services and tests hold the same rules.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.append_only import AppendOnlyModel, AppendOnlyQuerySet
from common.ids import uuid7
from common.models import TimestampedModel
from payments.models.api import BankPartner
from payments.models.bills import Bill, Biller


class Channel(models.TextChoices):
    """How the payer paid, as the bank reports it. All but the counter are electronic."""

    MOBILE_APP = "mobile_app", _("Bank app")
    QR = "qr", _("VietQR")
    INTERNET_BANKING = "internet_banking", _("Internet banking")
    WALLET = "wallet", _("E-wallet")
    ATM = "atm", _("ATM")
    AUTO_DEBIT = "auto_debit", _("Standing order")
    COUNTER = "counter", _("Bank counter, in cash")
    OTHER = "other", _("Other")


class Account(models.Model):
    """A pot in the ledger. Debits are positive, credits negative."""

    class Kind(models.TextChoices):
        BANK = "bank", _("Money that a bank holds for us")
        BILLER = "biller", _("Money collected for a biller")
        UNAPPLIED = "unapplied", _("Money that fits no bill yet")

    code = models.CharField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    partner = models.OneToOneField(
        BankPartner,
        on_delete=models.PROTECT,
        null=True,
        related_name="account",
        verbose_name=_("partner bank"),
    )
    biller = models.OneToOneField(
        Biller,
        on_delete=models.PROTECT,
        null=True,
        related_name="account",
        verbose_name=_("biller"),
    )

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="bank", partner__isnull=False, biller__isnull=True)
                | Q(kind="biller", partner__isnull=True, biller__isnull=False)
                | Q(kind="unapplied", partner__isnull=True, biller__isnull=True),
                name="account_owner_follows_kind",
            ),
        )

    def __str__(self) -> str:
        return self.code


class Entry(AppendOnlyModel):
    """One thing that happened to money; its postings sum to zero."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("Payment")
        REVERSAL = "reversal", _("Reversal")
        APPLICATION = "application", _("Applied to a bill")
        RETURN = "return", _("Returned to the payer")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    source = models.CharField(_("source"), max_length=40)
    external_id = models.CharField(_("id at the source"), max_length=80)
    occurred_at = models.DateTimeField(_("occurred at"))
    booked_at = models.DateTimeField(_("booked at"))
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="reversed_by",
        verbose_name=_("reverses"),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("by"),
        db_index=False,
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints = (
            models.UniqueConstraint(
                fields=["source", "external_id"], name="entry_booked_once_per_source"
            ),
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False)
                | (~Q(kind="reversal") & Q(reverses__isnull=True)),
                name="entry_reversal_names_its_original",
            ),
        )

    def __str__(self) -> str:
        return f"{self.source}/{self.external_id}"


class UnappliedMoney(TimestampedModel):
    """Money that fits no bill yet: the work list of the finance officer.

    `remaining` is a projection of the postings that name this row.
    """

    class Reason(models.TextChoices):
        NO_CODE = "no_code", _("No payment code in the message")
        UNKNOWN_BILL = "unknown_bill", _("No such bill")
        BILL_CANCELLED = "bill_cancelled", _("The bill was cancelled")
        ALREADY_PAID = "already_paid", _("The bill was already paid")
        EXCESS = "excess", _("More than was owed")

    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="unapplied", verbose_name=_("ledger entry")
    )
    bill = models.ForeignKey(
        Bill, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("bill")
    )
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    amount = models.PositiveBigIntegerField(_("amount (VND)"))
    remaining = models.PositiveBigIntegerField(_("remaining (VND)"))

    class Meta:
        verbose_name = _("unapplied money")
        verbose_name_plural = _("unapplied money")
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0, remaining__lte=F("amount")),
                name="unapplied_remaining_within_amount",
            ),
        )
        indexes = (
            models.Index(
                fields=["created_at"], name="unapplied_open", condition=Q(remaining__gt=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.remaining}"


class Posting(AppendOnlyModel):
    """One leg of an entry: so many đồng to (+) or from (-) an account."""

    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, related_name="postings", verbose_name=_("ledger entry")
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="postings",
        verbose_name=_("ledger account"),
        db_index=False,
    )
    amount = models.BigIntegerField(_("amount (VND)"))
    bill = models.ForeignKey(
        Bill, on_delete=models.PROTECT, null=True, related_name="postings", verbose_name=_("bill")
    )
    unapplied = models.ForeignKey(
        UnappliedMoney,
        on_delete=models.PROTECT,
        null=True,
        related_name="postings",
        verbose_name=_("unapplied money"),
    )

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = (models.CheckConstraint(condition=~Q(amount=0), name="posting_moves_money"),)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount:+d}"


class PaymentQuerySet(AppendOnlyQuerySet):
    """Ways to narrow a set of payments."""

    def of_partner(self, partner: BankPartner) -> Self:
        return self.filter(partner=partner)


class Payment(AppendOnlyModel):
    """A bank's report that money has moved, and the answer it got. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(
        BankPartner,
        on_delete=models.PROTECT,
        related_name="payments",
        verbose_name=_("partner bank"),
        db_index=False,
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=80)
    fingerprint = models.CharField(_("fingerprint of the report"), max_length=64)
    bank_ref = models.CharField(_("bank's reference"), max_length=80)
    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="payment", verbose_name=_("ledger entry")
    )
    bill = models.ForeignKey(
        Bill, on_delete=models.PROTECT, null=True, related_name="payments", verbose_name=_("bill")
    )
    inquiry_id = models.UUIDField(_("inquiry"), null=True)
    memo = models.CharField(_("transfer message"), max_length=500, blank=True)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel)
    payer_account_masked = models.CharField(_("payer's account, masked"), max_length=40, blank=True)
    amount = models.PositiveBigIntegerField(_("amount (VND)"))
    applied = models.PositiveBigIntegerField(_("applied to the bill (VND)"))
    paid_at = models.DateTimeField(_("paid at"))
    booked_at = models.DateTimeField(_("booked at"))

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = (
            models.UniqueConstraint(
                fields=["partner", "idempotency_key"], name="payment_key_unique_per_partner"
            ),
            models.UniqueConstraint(
                fields=["partner", "bank_ref"], name="payment_bank_ref_unique_per_partner"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, applied__lte=F("amount")),
                name="payment_applies_at_most_its_amount",
            ),
        )
        indexes = (models.Index(fields=["-booked_at"], name="payment_newest_first"),)

    def __str__(self) -> str:
        return self.bank_ref


class Reversal(AppendOnlyModel):
    """A bank's report that a payment was taken back, and the answer it got. Never changed."""

    class ReasonCode(models.TextChoices):
        WRONG_ACCOUNT = "wrong_account", _("Wrong account")
        DUPLICATE = "duplicate", _("Paid twice")
        WRONG_AMOUNT = "wrong_amount", _("Wrong amount")
        FRAUD = "fraud", _("Fraud")
        BANK_ERROR = "bank_error", _("Error at the bank")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, related_name="reversal", verbose_name=_("payment")
    )
    partner = models.ForeignKey(
        BankPartner, on_delete=models.PROTECT, related_name="+", verbose_name=_("partner bank")
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=80)
    fingerprint = models.CharField(_("fingerprint of the report"), max_length=64)
    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="reversal", verbose_name=_("ledger entry")
    )
    reason_code = models.CharField(_("reason"), max_length=16, choices=ReasonCode)
    note = models.CharField(_("note"), max_length=200, blank=True)
    booked_at = models.DateTimeField(_("booked at"))

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")
        constraints = (
            models.UniqueConstraint(
                fields=["partner", "idempotency_key"], name="reversal_key_unique_per_partner"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class ReceiptSeries(models.Model):
    """A run of receipt numbers without gaps; the row is locked while a number is taken."""

    code = models.CharField(_("code"), max_length=30, unique=True)
    last_number = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("receipt series")
        verbose_name_plural = _("receipt series")

    def __str__(self) -> str:
        return self.code


class Receipt(AppendOnlyModel):
    """Proof for the payer that money was applied to a bill. Never changed.

    Whether it still counts is derived: an entry that was reversed voids its receipt.
    """

    series = models.ForeignKey(
        ReceiptSeries,
        on_delete=models.PROTECT,
        related_name="receipts",
        verbose_name=_("receipt series"),
        db_index=False,
    )
    number = models.PositiveIntegerField(_("number"))
    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, related_name="receipt", verbose_name=_("ledger entry")
    )
    bill = models.ForeignKey(
        Bill, on_delete=models.PROTECT, related_name="receipts", verbose_name=_("bill")
    )
    amount = models.PositiveBigIntegerField(_("amount (VND)"))
    payer_name = models.CharField(_("payer"), max_length=120)
    token = models.CharField(_("public token"), max_length=32, unique=True)
    issued_at = models.DateTimeField(_("issued at"))

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = (
            models.UniqueConstraint(fields=["series", "number"], name="receipt_number_unique"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="receipt_amount_positive"),
        )

    def __str__(self) -> str:
        return f"{self.series.code}-{self.number:06d}"


class ReceiptNotice(models.Model):
    """The household has been told of this receipt; the row keeps it from being told twice."""

    receipt = models.OneToOneField(
        Receipt, on_delete=models.CASCADE, related_name="notice", verbose_name=_("receipt")
    )
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        verbose_name = _("receipt notice")
        verbose_name_plural = _("receipt notices")

    def __str__(self) -> str:
        return str(self.receipt_id)
