"""Bill import of a large file: rows a second, and how much memory the worker needs.

    python bench/bench_import.py [ROWS]

Runs in the database of DATABASE_URL, which must be empty or a bench database of its own; what it
makes is taken back. Figures: docs/benchmarks.md.
"""

# ruff: noqa: E402  # models can be imported only after django.setup()

import io
import os
import resource
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commune_portal.settings")

import django

django.setup()

from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from openpyxl import Workbook

from addresses.models import Commune, Village
from payments.models import Bank, Bill, Biller, BillImport, ImportProfile
from payments.services import imports
from residents.models import Household

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
HEADINGS = ["Số hoá đơn", "Mã khách hàng", "Tên", "Số tiền", "Hạn nộp", "Kỳ", "Mã hộ"]


def make_biller() -> Biller:
    commune = Commune.objects.create(code="bench", name="Bench", province="Thanh Hoá")
    village = Village.objects.create(commune=commune, code="bench", name="Bench")
    Household.objects.bulk_create(
        Household(code=f"HO{n:05d}", village=village, representative="Lê Thị Hoa")
        for n in range(2_000)
    )
    bank, _ = Bank.objects.get_or_create(
        bin="970405",
        defaults={"short_name": "Agribank", "source": "bench", "as_of": date(2026, 11, 1)},
    )
    biller = Biller.objects.create(
        code="bench",
        name="Bench",
        service=Biller.Service.ELECTRICITY,
        bank=bank,
        account_number="1",
        account_name="BENCH",
        customer_code_pattern="PD[0-9]{6}",
    )
    columns = (
        "reference",
        "customer_code",
        "payer_name",
        "amount",
        "due_date",
        "period",
        "household_code",
    )
    ImportProfile.objects.create(
        biller=biller,
        **{f"{column}_column": heading for column, heading in zip(columns, HEADINGS, strict=True)},
    )
    return biller


def make_lines(count: int, *, more: int = 0) -> list[list[object]]:
    return [
        [
            f"HD{n:07d}",
            f"PD{n % 5000:06d}",
            "Nguyễn Thị Hồng Đào",
            50_000 + n + more,
            date(2026, 11, 30),
            "11/2026",
            f"HO{n % 5000 % 2000:05d}" if n % 3 else "",
        ]
        for n in range(count)
    ]


def as_csv(lines: list[list[object]]) -> bytes:
    return "\n".join(";".join(map(str, line)) for line in [HEADINGS, *lines]).encode()


def as_xlsx(lines: list[list[object]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in [HEADINGS, *lines]:
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def show(what: str, count: int, started: tuple[float, float]) -> None:
    wall, cpu = (now - then for now, then in zip(clocks(), started, strict=True))
    print(
        f"{what:<34} {wall:6.2f} s ({cpu:5.2f} s of CPU here) {count / wall:7.0f} rows/s"
        f"   peak {peak_mb()} MB"
    )


def take_in(biller: Biller, name: str, content: bytes, what: str) -> None:
    bill_import = imports.receive_bill_file(
        biller=biller, file=ContentFile(content, name), file_name=name, uploaded_by=None, at=NOON
    )
    started = clocks()
    bill_import = imports.check_bill_file(bill_import=bill_import, at=NOON)
    show(f"{what}, dry run", bill_import.row_count, started)
    bill_import = imports.approve_bill_file(bill_import_id=bill_import.pk, at=NOON)
    started = clocks()
    bill_import = imports.take_in(bill_import=bill_import, at=NOON)
    show(f"{what}, taken over", bill_import.row_count, started)


def tidy_up() -> None:
    biller = Biller.objects.filter(code="bench").first()
    if biller:
        Bill.objects.filter(biller=biller).delete()
        for bill_import in BillImport.objects.filter(biller=biller):
            bill_import.file.delete(save=False)
        BillImport.objects.filter(biller=biller).delete()
        biller.customer_links.all().delete()
        biller.delete()
    Household.objects.filter(village__code="bench").delete()
    Village.objects.filter(code="bench").delete()
    Commune.objects.filter(code="bench").delete()


def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    tidy_up()
    biller = make_biller()
    new, changed = as_csv(make_lines(count)), as_xlsx(make_lines(count, more=1))
    same = as_csv(make_lines(count, more=1))
    print(f"{connection.vendor}, {count} rows, before: peak {peak_mb()} MB")
    take_in(biller, "new.csv", new, "CSV, all new")
    take_in(biller, "changed.xlsx", changed, "XLSX, all changed")
    take_in(biller, "same.csv", same, "CSV, all unchanged")
    tidy_up()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
