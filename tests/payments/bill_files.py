"""A biller's files as tests make and send them."""

from datetime import timedelta

from django.core.files.base import ContentFile

from payments.models import BillImport, ImportProfile
from payments.services import imports
from tests.payments.factories import NOON, make_biller

HEADINGS = "Số hoá đơn;Mã khách hàng;Tên khách hàng;Số tiền;Hạn nộp;Kỳ;Mã hộ"
HOA = "HD1;PD0001;Lê Thị Hoa;385.000;30/11/2026;11/2026;"
MAI = "HD2;PD0002;Phạm Thị Mai;128.500;30/11/2026;11/2026;"


def make_profile(**changes):
    fields = {
        "reference_column": "Số hoá đơn",
        "customer_code_column": "Mã khách hàng",
        "payer_name_column": "Tên khách hàng",
        "amount_column": "Số tiền",
        "due_date_column": "Hạn nộp",
        "period_column": "Kỳ",
        "household_code_column": "Mã hộ",
    }
    if "biller" not in changes:
        fields["biller"] = make_biller()
    return ImportProfile.objects.create(**fields | changes)


def receive(biller, content, file_name="tien-dien.csv"):
    return imports.receive_bill_file(
        biller=biller,
        file=ContentFile(content, name=file_name),
        file_name=file_name,
        uploaded_by=None,
        at=NOON,
    )


def lines(*rows, headings=HEADINGS):
    return "\n".join([headings, *rows]).encode()


def work(at=NOON):
    """Do what a worker does when it comes round."""
    for bill_import in BillImport.objects.claim(limit=9, at=at, lease=timedelta(minutes=10)):
        imports.proceed(bill_import=bill_import, at=at)


def checked(biller, *rows, **options):
    bill_import = receive(biller, lines(*rows, **options))
    work()
    bill_import.refresh_from_db()
    return bill_import


def taken_in(biller, *rows, **options):
    bill_import = checked(biller, *rows, **options)
    imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    work()
    bill_import.refresh_from_db()
    return bill_import


def counts(bill_import):
    return (
        bill_import.new_count,
        bill_import.changed_count,
        bill_import.unchanged_count,
        bill_import.refused_count,
    )


def sentences(bill_import):
    return list(bill_import.problems.order_by("pk").values_list("row_number", "sentence"))
