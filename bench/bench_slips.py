"""Printed slips: ours beside a plain qrcode + reportlab loop with the same words.

    python -m bench.bench_slips               slips a second of each way, alternating
    python -m bench.bench_slips --run 2000    one whole run: rows in the database to stored file

Every way draws the same slips, four a page, each with its own transfer payload. Rounds alternate,
so that a busy machine slows both alike; a figure is the median of the rounds. The whole run works
on a SQLite database that is thrown away, and tells its peak memory.
"""

# ruff: noqa: E402  # models can be imported only after django.setup()

import argparse
import os
import random
import resource
import statistics
import tempfile
import time
from datetime import UTC, date, datetime
from io import BytesIO

FOLDER = tempfile.TemporaryDirectory(prefix="bench-slips-")
os.environ |= {
    "SECRET_KEY": "only-for-measuring-" + "x" * 40,
    "DATABASE_URL": f"sqlite:///{FOLDER.name}/bench.sqlite3",
    "VAR_DIR": FOLDER.name,
    "REDIS_URL": "",
    "LOG_LEVEL": "ERROR",
    "DJANGO_SETTINGS_MODULE": "commune_portal.settings",
}

import django

django.setup()

import qrcode
from django.core.management import call_command
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from addresses.models import Commune, Village
from common.pdf import A4, BOLD, REGULAR, fonts
from common.text import amount_in_words_vi, name_sort_key, vnd
from payments.models import Bank, Bill, Biller, SlipRun
from payments.payment_code import new_code
from payments.services.slips import order_slips, print_run
from payments.slips import Slip, write_slips
from payments.vietqr import Transfer, encode
from residents.models import Household

RANDOM = random.Random(7)
ROUNDS = 5
PLAIN_BATCH = 80
NAMES = ["Nguyễn Thị Ánh", "Phạm Văn Đức", "Lê Hữu Nghĩa", "Đỗ Thị Hoà", "Trần Quốc Tuấn"]
HOW_TO = [
    "Mở ứng dụng ngân hàng, chọn quét mã QR rồi đưa máy vào mã bên cạnh.",
    "Kiểm tra tên người nhận là DIEN LUC HAU LOC rồi mới bấm chuyển.",
    "Không có điện thoại thông minh? Mang phiếu này ra quầy ngân hàng hoặc nhờ tổ công nghệ số.",
]
NOON = datetime(2026, 11, 22, 5, tzinfo=UTC)
BILLER = Biller(
    pk=1,
    name="Điện lực Hậu Lộc",
    service=Biller.Service.ELECTRICITY,
    account_number="3512201000123",
    account_name="DIEN LUC HAU LOC",
    bank=Bank(bin="970405", short_name="Agribank"),
)


def make_slip(number: int) -> Slip:
    amount, code = RANDOM.randrange(10, 900) * 1_000, new_code(number)
    name = f"{RANDOM.choice(NAMES)} {number}"
    return Slip(
        pile="Thôn Xuân Yên",
        biller_id=BILLER.pk,
        household=name,
        address=f"Thôn Xuân Yên  ·  Ngõ {number % 9}  ·  hộ PL-{number:05d}",
        payer=f"Người đứng tên: {name}",
        subject=f"Tiền điện  ·  11/2026  ·  Mã khách hàng: PA07HL{number:05d}",
        amount=amount,
        balance=amount,
        due_date=date(2026, 11, 30),
        payment_code=code,
        payload=encode(Transfer("970405", BILLER.account_number, amount_vnd=amount, memo=code)),
    )


def ours(slips: list[Slip]) -> bytes:
    target = BytesIO()
    write_slips(target, slips, billers={BILLER.pk: BILLER}, slips_per_page=4)
    return target.getvalue()


def plain(slips: list[Slip]) -> bytes:
    """Draw the same words with drawString and the code with qrcode.make, as one would at first."""
    target = BytesIO()
    canvas = Canvas(target, A4, pageCompression=1)
    for number, slip in enumerate(slips):
        if number and number % 4 == 0:
            canvas.showPage()
        bottom = A4[1] * (3 - number % 4) / 4
        lines = [
            BILLER.name, slip.subject, slip.household, slip.address, slip.payer, "Số tiền cần trả",
            "Hạn trả", vnd(slip.balance), f"{slip.due_date:%d/%m/%Y}",
            amount_in_words_vi(slip.balance).capitalize(), "Người nhận", BILLER.account_name,
            "Số tài khoản", BILLER.account_number, BILLER.bank.short_name, "1.", "2.", "3.",
            *HOW_TO, "Nội dung chuyển khoản", slip.payment_code, f"{slip.pile} {number}",
        ]  # fmt: skip
        for place, words in enumerate(lines):
            canvas.setFont(BOLD if place % 3 == 0 else REGULAR, 8)
            canvas.drawString(28, bottom + 200 - place * 8, words)
        for height in (0, 80, 130):
            canvas.line(28, bottom + height, 400, bottom + height)
        picture = ImageReader(qrcode.make(slip.payload).get_image())
        canvas.drawImage(picture, 430, bottom + 40, 136, 136)
    canvas.save()
    return target.getvalue()


def compare(count: int) -> None:
    fonts()
    slips = [make_slip(number) for number in range(count)]
    ways = {"ours": (ours, slips), "plain qrcode + reportlab": (plain, slips[:PLAIN_BATCH])}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    sizes = {}
    for _round in range(ROUNDS):
        for name, (draw, batch) in ways.items():
            start = time.process_time()
            sizes[name] = len(draw(batch)) / len(batch)
            rates[name].append(len(batch) / (time.process_time() - start))
    medians = {name: statistics.median(measured) for name, measured in rates.items()}
    for name, rate in medians.items():
        print(f"{name:<26} {rate:>6,.0f} slips per CPU second {sizes[name]:>7,.0f} bytes a slip")
    print(f"{'ratio':<26} {medians['ours'] / medians['plain qrcode + reportlab']:>6.1f}")


def make_rows(count: int) -> None:
    call_command("migrate", verbosity=0)
    commune = Commune.objects.create(code="bench", name="Bench", province="Thanh Hoá")
    villages = [
        Village.objects.create(commune=commune, code=f"V{number}", name=f"Thôn {number}")
        for number in range(8)
    ]
    bank, _ = Bank.objects.get_or_create(
        bin="970405", defaults={"short_name": "Agribank", "source": "bench", "as_of": "2026-11-01"}
    )
    billers = [
        Biller.objects.create(
            code=f"b{number}",
            name=f"Đơn vị thu {number}",
            service=Biller.Service.WATER,
            bank=bank,
            account_number=f"351220100012{number}",
            account_name=f"DON VI THU {number}",
        )
        for number in range(4)
    ]
    houses = Household.objects.bulk_create(
        Household(
            code=f"H{number}",
            village=villages[number % 8],
            representative=(name := RANDOM.choice(NAMES)),
            representative_sort_key=name_sort_key(name),
            lane=f"Ngõ {number % 20}",
        )
        for number in range(-(-count // 4))
    )
    Bill.objects.bulk_create(
        Bill(
            biller=billers[number % 4],
            reference=f"HD{number}",
            payment_code=new_code(number),
            customer_code=f"KH{number:06d}",
            household=houses[number // 4],
            payer_name=RANDOM.choice(NAMES),
            period="11/2026",
            amount=RANDOM.randrange(10, 900) * 1_000,
            due_date=date(2026, 11, 30),
        )
        for number in range(count)
    )


def peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def whole_run(count: int) -> None:
    make_rows(count)
    run = order_slips(village=None, biller=None, slips_per_page=4, ordered_by=None, at=NOON)
    before, start, start_cpu = peak_megabytes(), time.perf_counter(), time.process_time()
    print_run(run=run, at=NOON)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    assert run.status == SlipRun.Status.DONE
    print(
        f"{run.slip_count:,} slips in {seconds:.2f} s ({cpu:.2f} s of CPU), "
        f"{run.file.size / 1e6:.1f} MB, peak memory {peak_megabytes()} MB ({before} MB before)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--slips", type=int, default=400)
    parser.add_argument("--run", type=int, metavar="SLIPS")
    chosen = parser.parse_args()
    if chosen.run:
        whole_run(chosen.run)
    else:
        compare(chosen.slips)


if __name__ == "__main__":
    main()
