"""Bring the demo commune into the database, stage by stage.

Each stage is one transaction and its rows are its mark: what is there is left alone, so a second
run changes nothing and a run that was stopped goes on where it stood.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from allauth.mfa.totp.internal.auth import TOTP
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from accounts.services import account_for, change_phone, give_role, open_official
from addresses.models import Commune, Village
from addresses.services import load_places
from common.phone import to_e164
from common.reference_table import read_csv
from common.text import fold, name_sort_key
from commune_portal.demo import bank, bills, farm, farm_history, people
from commune_portal.demo.accounts import DEMO_ACCOUNTS, DemoAccount
from commune_portal.demo.bills import DemoBill, DemoPayment
from payments.models import (
    Bank,
    BankPartner,
    Bill,
    Biller,
    CustomerLink,
    ImportProfile,
    Payment,
    Receipt,
    ReceiptNotice,
)
from payments.services.banks import load_banks
from payments.services.bills import cancel_bill, reserve_payment_codes
from payments.services.booking import PaymentReport
from payments.services.history import OldReport, book_history
from residents.models import Household, Resident

_ROOT: Final = Path(__file__).resolve().parents[2]
PLACES: Final = _ROOT / "addresses" / "data"
BANKS: Final = _ROOT / "payments" / "data" / "banks.csv"
BATCH: Final = 500
FEW: Final = 200
# Transfers that somebody typed by hand: days ago, đồng, message.
MEMOS_WITHOUT_CODE: Final = (
    (11, 150_000, "Nop tien dien thang truoc nha ba Hoa"),
    (6, 84_000, "tien nuoc"),
    (2, 500_000, "LE VAN SON chuyen tien hoc cho con"),
)
CANCEL_REASON: Final = "Ghi nhầm chỉ số đồng hồ nước"


class DemoCommune:
    """The demo on its way into the database; `today` is the day that its days count from."""

    def __init__(
        self, *, households: int, today: date, at: datetime, credentials_file: Path
    ) -> None:
        self.household_count = households
        self.today = today
        self.at = at
        self.credentials_file = credentials_file

    @cached_property
    def houses(self) -> list[people.House]:
        return people.generate(households=self.household_count)

    @cached_property
    def bills(self) -> list[DemoBill]:
        return bills.generate(self.houses)

    def load(self) -> Iterator[str]:
        """Run the stages; give a line for each that had something to do."""
        stages: tuple[Callable[[], str], ...] = (
            self._load_places,
            self._load_banks,
            self._load_people,
            self._load_accounts,
            self._load_billers,
            self._load_bills,
            self._open_bank,
            self._load_payments,
            self._load_farm,
        )
        for stage in stages:
            with transaction.atomic():
                # Two runs at once take turns; the second then finds the rows of the first.
                list(Commune.objects.select_for_update().order_by("pk")[:1])
                line = stage()
            if line:
                yield line

    def _load_places(self) -> str:
        codes = [village.code for village in people.VILLAGES]
        if Village.objects.filter(code__in=codes).count() == len(codes):
            return ""
        loaded = load_places(
            communes=read_csv(PLACES / "communes.csv"), villages=read_csv(PLACES / "villages.csv")
        )
        return f"places: {loaded.new} new"

    def _load_banks(self) -> str:
        loaded = load_banks(banks=read_csv(BANKS))
        return f"banks: {loaded.new} new, {loaded.changed} changed" if sum(loaded[:2]) else ""

    def _load_people(self) -> str:
        if Household.objects.filter(code__startswith="XY-").exists():
            return ""
        villages = Village.objects.in_bulk(field_name="code")
        Household.objects.bulk_create(
            (
                Household(
                    code=house.code,
                    village=villages[house.village],
                    representative=house.representative,
                    representative_sort_key=name_sort_key(house.representative),
                    search_key=fold(f"{house.representative} {house.code}"),
                    phone=house.phone,
                    lane=house.lane,
                )
                for house in self.houses
            ),
            batch_size=BATCH,
        )
        # Asked for, because SQLite before 3.35 does not tell the keys of many rows.
        household_ids = dict(Household.objects.values_list("code", "pk"))
        residents = Resident.objects.bulk_create(
            (
                Resident(
                    household_id=household_ids[house.code],
                    code=f"{house.code}-{number}",
                    full_name=person.full_name,
                    sort_key=name_sort_key(person.full_name),
                    search_key=fold(person.full_name),
                    birth_date=person.birth_date(today=self.today),
                    sex=person.sex,
                    residence=person.residence,
                    phone=person.phone,
                )
                for house, number, person in people.residents(self.houses)
            ),
            batch_size=BATCH,
        )
        return f"people: {len(self.houses)} households, {len(residents)} residents"

    def _load_accounts(self) -> str:
        known = set(User.objects.values_list("phone", flat=True))
        missing = [one for one in DEMO_ACCOUNTS if to_e164(one.phone) not in known]
        for account in missing:
            _open_account(account)
        return f"accounts: {len(missing)} new" if missing else ""

    def _load_billers(self) -> str:
        if Biller.objects.filter(code=bills.ELECTRICITY.code).exists():
            return ""
        bank_by_bin = Bank.objects.in_bulk(field_name="bin")
        for facts in bills.BILLERS:
            biller = Biller.objects.create(
                code=facts.code,
                name=facts.name,
                service=facts.service,
                bank=bank_by_bin[facts.bank_bin],
                account_number=facts.account_number,
                account_name=facts.account_name,
                amount_rule=facts.amount_rule,
                customer_code_label=facts.customer_code_label,
                customer_code_pattern=facts.customer_code_pattern,
            )
            ImportProfile.objects.create(
                biller=biller,
                reference_column="Số hoá đơn",
                customer_code_column=facts.customer_code_label,
                payer_name_column="Họ và tên",
                amount_column="Số tiền",
                due_date_column="Hạn thanh toán",
                period_column="Kỳ",
            )
        return f"billers: {len(bills.BILLERS)} new"

    def _load_bills(self) -> str:
        billers = {biller.code: biller for biller in Biller.objects.all()}
        if Bill.objects.filter(biller=billers[bills.ELECTRICITY.code]).exists():
            return ""
        household_ids = dict(Household.objects.values_list("code", "pk"))
        # Of a run that was stopped before with another number of households, some are missing.
        drafts = [bill for bill in self.bills if bill.household in household_ids]
        codes = reserve_payment_codes(count=len(drafts))
        Bill.objects.bulk_create(
            (
                Bill(
                    biller=billers[draft.biller.code],
                    reference=draft.reference,
                    payment_code=code,
                    customer_code=draft.customer_code,
                    household_id=household_ids[draft.household],
                    payer_name=draft.payer_name,
                    period=draft.period(today=self.today),
                    amount=draft.amount,
                    due_date=draft.due_date(today=self.today),
                )
                for draft, code in zip(drafts, codes, strict=True)
            ),
            batch_size=BATCH,
        )
        self._link_customers(drafts, billers, household_ids)
        bill_ids = dict(Bill.objects.values_list("reference", "pk"))
        self._date_back(drafts, bill_ids)
        for draft in drafts:
            if draft.is_cancelled:
                cancel_bill(bill_id=bill_ids[draft.reference], reason=CANCEL_REASON)
        return f"bills: {len(drafts)} of {len(bills.BILLERS)} billers"

    def _link_customers(
        self, drafts: list[DemoBill], billers: dict[str, Biller], household_ids: dict[str, int]
    ) -> None:
        owners = {
            (billers[draft.biller.code].pk, draft.customer_code): household_ids[draft.household]
            for draft in drafts
        }
        CustomerLink.objects.bulk_create(
            (
                CustomerLink(biller_id=biller, customer_code=code, household_id=household)
                for (biller, code), household in owners.items()
            ),
            batch_size=BATCH,
        )

    def _date_back(self, drafts: list[DemoBill], bill_ids: dict[str, int]) -> None:
        """Let the bills of each month be as old as they say: the column knows only now."""
        ids_by_day: dict[date, list[int]] = defaultdict(list)
        for draft in drafts:
            ids_by_day[draft.issue_date(today=self.today)].append(bill_ids[draft.reference])
        for day, ids in ids_by_day.items():
            for start in range(0, len(ids), BATCH):
                batch = Bill.objects.filter(pk__in=ids[start : start + BATCH])
                batch.update(created_at=_moment(day, 9 * 3600))

    def _open_bank(self) -> str:
        is_new = bank.open_bank(file=self.credentials_file, at=self.at)
        return f"partner bank: credentials in {self.credentials_file.name}" if is_new else ""

    def _load_payments(self) -> str:
        partner = BankPartner.objects.get(code=bank.CODE)
        if Payment.objects.filter(partner=partner).exists():
            return ""
        # A lasting key: the same report again would be a repeat, never a second booking.
        booked = book_history(
            partner=partner,
            history=(
                OldReport(
                    key=f"demo:{report.bank_ref}",
                    report=report,
                    at=report.paid_at + timedelta(seconds=20),
                )
                for report in self._reports()
            ),
        )
        self._say_receipts_were_told()
        return f"payments: {booked}"

    def _reports(self) -> Iterator[PaymentReport]:
        """Tell the payments as a bank would."""
        code_by_reference = dict(Bill.objects.values_list("reference", "payment_code"))
        for bill in self.bills:
            code = code_by_reference.get(bill.reference)
            if code:
                for number, payment in enumerate(bill.payments, start=1):
                    ref = f"DEMO-{bill.reference}-{number}"
                    yield self._report(payment, code=code, ref=ref)
        for number, (days_ago, amount, memo) in enumerate(MEMOS_WITHOUT_CODE, start=1):
            yield PaymentReport(
                bank_ref=f"DEMO-TYPED-{number}",
                amount=amount,
                paid_at=_moment(self.today - timedelta(days=days_ago), 20 * 3600),
                channel="mobile_app",
                memo=memo,
            )

    def _report(self, payment: DemoPayment, *, code: str, ref: str) -> PaymentReport:
        """Tell one payment: by QR or app the code comes back in the memo, as banks garble it."""
        is_transfer = payment.channel in {"qr", "wallet", "mobile_app"}
        return PaymentReport(
            bank_ref=ref,
            amount=payment.amount,
            paid_at=_moment(self.today - timedelta(days=payment.days_ago), payment.second),
            channel=payment.channel,
            payment_code="" if is_transfer else code,
            memo=f"IBFT {payment.second} {code} GD {payment.days_ago}" if is_transfer else "",
        )

    def _load_farm(self) -> str:
        # A small commune is for tests: three days of greenhouse are enough there.
        days = farm_history.DAYS if self.household_count >= FEW else 3
        return farm.load_farm(today=self.today, at=self.at, days=days)

    def _say_receipts_were_told(self) -> None:
        """Keep the worker from telling two thousand households of receipts that are old."""
        untold = Receipt.objects.filter(notice__isnull=True)
        ReceiptNotice.objects.bulk_create(
            (
                ReceiptNotice(receipt_id=pk, told_at=issued_at)
                for pk, issued_at in untold.values_list("pk", "issued_at")
            ),
            batch_size=BATCH,
        )


def _open_account(account: DemoAccount) -> None:
    phone = to_e164(account.phone)
    if account.password:
        user = open_official(
            phone=phone,
            full_name=account.full_name,
            role=Role(account.role),
            password=account.password,
        )
        TOTP.activate(user, account.totp_secret)
        return
    user = account_for(phone=phone, full_name=account.full_name)
    change_phone(user=user, phone=phone, is_verified=True)
    if account.role:
        give_role(user=user, role=Role(account.role))


def _moment(day: date, second: int) -> datetime:
    """Give the moment that many seconds after midnight in Thanh Hoá."""
    midnight = datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
    return midnight + timedelta(seconds=second)
