"""What residents owe, to whom, and the files that say so."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.file_import import FileImport, ImportProblem
from common.models import TimestampedModel


class Bank(TimestampedModel):
    """A bank that can receive VietQR transfers, by its State Bank BIN. Officials keep the list."""

    bin = models.CharField(_("BIN"), max_length=6, unique=True)
    short_name = models.CharField(_("short name"), max_length=40)
    name = models.CharField(_("name"), max_length=160, blank=True)
    app_code = models.CharField(
        _("app code"), max_length=20, blank=True, help_text=_("For links that open the bank's app.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    source = models.CharField(_("source"), max_length=200)
    as_of = models.DateField(_("as of"))

    class Meta:
        verbose_name = _("bank")
        verbose_name_plural = _("banks")

    def __str__(self) -> str:
        return self.short_name


class Biller(TimestampedModel):
    """Somebody whom residents owe: the electricity company, a school, the commune itself."""

    class Service(models.TextChoices):
        ELECTRICITY = "electricity", _("Electricity")
        WATER = "water", _("Water")
        TUITION = "tuition", _("Tuition")
        HOSPITAL = "hospital", _("Hospital fees")
        TELEPHONE = "telephone", _("Telephone")
        SANITATION = "sanitation", _("Sanitation")
        ADMINISTRATIVE_FEE = "administrative_fee", _("Administrative fee")

    class AmountRule(models.TextChoices):
        EXACT = "exact", _("Exactly what is owed")
        AT_MOST = "at_most", _("In instalments, at most what is owed")
        AT_LEAST = "at_least", _("At least what is owed")
        ANY = "any", _("Any amount")

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=120)
    service = models.CharField(_("service"), max_length=20, choices=Service)
    bank = models.ForeignKey(
        Bank, on_delete=models.PROTECT, related_name="+", verbose_name=_("settlement bank")
    )
    account_number = models.CharField(_("settlement account"), max_length=19)
    account_name = models.CharField(
        _("account name"),
        max_length=80,
        help_text=_("As the bank app shows it; payers are told to compare it."),
    )
    amount_rule = models.CharField(
        _("amount rule"), max_length=10, choices=AmountRule, default=AmountRule.EXACT
    )
    customer_code_label = models.CharField(
        _("name of the customer code"), max_length=60, blank=True
    )
    customer_code_pattern = models.CharField(
        _("pattern of the customer code"), max_length=120, blank=True, default=""
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("biller")
        verbose_name_plural = _("billers")
        constraints = (
            models.CheckConstraint(
                condition=Q(account_number__regex=r"^[0-9A-Za-z]{1,19}$"),
                name="biller_account_fits_vietqr",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ImportProfile(TimestampedModel):
    """How one biller's file names its columns."""

    biller = models.OneToOneField(
        Biller, on_delete=models.CASCADE, related_name="import_profile", verbose_name=_("biller")
    )
    reference_column = models.CharField(_("column of the bill number"), max_length=80)
    customer_code_column = models.CharField(_("column of the customer code"), max_length=80)
    payer_name_column = models.CharField(_("column of the payer's name"), max_length=80)
    amount_column = models.CharField(_("column of the amount"), max_length=80)
    due_date_column = models.CharField(_("column of the due date"), max_length=80, blank=True)
    period_column = models.CharField(_("column of the period"), max_length=80, blank=True)
    household_code_column = models.CharField(
        _("column of the household code"), max_length=80, blank=True
    )
    header_row = models.PositiveSmallIntegerField(_("row of the headings"), default=1)
    encoding = models.CharField(_("encoding of CSV files"), max_length=20, default="utf-8-sig")

    class Meta:
        verbose_name = _("column profile")
        verbose_name_plural = _("column profiles")

    def __str__(self) -> str:
        return str(self.biller)


class CustomerLink(TimestampedModel):
    """A biller's customer code belongs to this household; later bills find their way by it."""

    biller = models.ForeignKey(
        Biller, on_delete=models.PROTECT, related_name="customer_links", verbose_name=_("biller")
    )
    customer_code = models.CharField(_("customer code"), max_length=40)
    household = models.ForeignKey(
        "residents.Household",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("household"),
    )

    class Meta:
        verbose_name = _("customer code of a household")
        verbose_name_plural = _("customer codes of households")
        constraints = (
            models.UniqueConstraint(
                fields=["biller", "customer_code"], name="customer_code_belongs_to_one_household"
            ),
        )

    def __str__(self) -> str:
        return self.customer_code


class BillQuerySet(models.QuerySet["Bill"]):
    """Ways to narrow a set of bills; each can follow any other."""

    def payable(self) -> Self:
        return self.filter(status__in=(Bill.Status.OPEN, Bill.Status.PART_PAID))

    def overdue(self, *, on: date) -> Self:
        return self.payable().filter(due_date__lt=on)

    def locked(self) -> Self:
        """Lock the rows until the transaction ends, in key order so no two callers deadlock."""
        return self.order_by("pk").select_for_update(of=("self",))


class Bill(TimestampedModel):
    """One amount that a household owes for one service.

    `paid` and `status` are projections of the ledger's postings, kept in the same transaction.
    Overdue is derived from the due date and never stored. Keys that lead a constraint or another
    index have none of their own: each payment would have to write it (docs/benchmarks.md).
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Awaiting payment")
        PART_PAID = "part_paid", _("Partly paid")
        PAID = "paid", _("Paid")
        CANCELLED = "cancelled", _("Cancelled")

    biller = models.ForeignKey(
        Biller,
        on_delete=models.PROTECT,
        related_name="bills",
        verbose_name=_("biller"),
        db_index=False,
    )
    reference = models.CharField(_("biller's bill number"), max_length=40)
    payment_code = models.CharField(_("payment code"), max_length=19, unique=True, editable=False)
    customer_code = models.CharField(_("customer code"), max_length=40)
    household = models.ForeignKey(
        "residents.Household",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("household"),
        db_index=False,
    )
    payer_name = models.CharField(_("payer"), max_length=120)
    period = models.CharField(_("period"), max_length=40, blank=True)
    amount = models.PositiveBigIntegerField(_("amount (VND)"))
    paid = models.PositiveBigIntegerField(_("paid (VND)"), default=0, editable=False)
    due_date = models.DateField(_("due date"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.OPEN, editable=False
    )
    settled_at = models.DateTimeField(_("paid at"), null=True, editable=False)
    cancel_reason = models.CharField(_("reason for cancelling"), max_length=200, blank=True)

    objects = BillQuerySet.as_manager()

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        constraints = (
            models.UniqueConstraint(
                fields=["biller", "reference"], name="bill_reference_unique_per_biller"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lt=500_000_000), name="bill_amount_fits_vietqr"
            ),
            models.CheckConstraint(
                condition=Q(paid__lte=F("amount")), name="bill_never_paid_beyond_amount"
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", paid=0)
                | Q(status="open", paid=0)
                | Q(status="part_paid", paid__gt=0, paid__lt=F("amount"))
                | Q(status="paid", paid=F("amount")),
                name="bill_status_follows_paid",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", settled_at__isnull=False)
                | (~Q(status="paid") & Q(settled_at__isnull=True)),
                name="bill_settled_at_iff_paid",
            ),
        )
        indexes = (
            models.Index(fields=["household", "status"], name="bill_of_household"),
            models.Index(fields=["biller", "customer_code"], name="bill_of_customer"),
            models.Index(
                fields=["due_date"],
                name="bill_payable_by_due_date",
                condition=Q(status__in=("open", "part_paid")),
            ),
        )

    def __str__(self) -> str:
        return self.payment_code

    @property
    def balance(self) -> int:
        """What is still owed, in đồng."""
        return self.amount - self.paid


class BillImport(FileImport):
    """A biller's file of bills; good rows are taken over, refused ones go back to be mended."""

    biller = models.ForeignKey(
        Biller, on_delete=models.PROTECT, related_name="+", verbose_name=_("biller")
    )
    file = models.FileField(_("file"), upload_to="imports/bills/")

    class Meta:
        verbose_name = _("bill import")
        verbose_name_plural = _("bill imports")


class BillImportProblem(ImportProblem):
    """Why one row of a bill file cannot be taken over."""

    file_import = models.ForeignKey(BillImport, on_delete=models.CASCADE, related_name="problems")

    class Meta:
        verbose_name = _("problem in a row")
        verbose_name_plural = _("problems in rows")
