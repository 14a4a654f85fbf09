"""Printed slips: what stands on them, in which order, and that a run ends once."""

import re
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile

from common import progress
from common.outbox import OutboxQuerySet
from common.text import name_sort_key
from payments import tasks
from payments.errors import BillNotPayableError
from payments.models import Bill, SlipRun
from payments.payment_code import normalise
from payments.qr_payload import bill_payload
from payments.services.bills import cancel_bill
from payments.services.slips import order_slips, print_run, progress_name
from payments.vietqr import VietQRError, decode
from tests.paper import page_codes, page_sizes, page_texts
from tests.payments.factories import (
    NOON,
    make_bank,
    make_bill,
    make_biller,
    make_household,
    make_partner,
    make_village,
    pay,
)

pytestmark = pytest.mark.django_db
LEASE = timedelta(minutes=10)
SPACED_CODE = re.compile(r"PL\w\w \w{4} \w{3}")


def make_house(name="Lê Thị Hoa", **changes):
    return make_household(
        representative=name, representative_sort_key=name_sort_key(name), **changes
    )


def order(village=None, biller=None, slips_per_page=4) -> SlipRun:
    return order_slips(
        village=village, biller=biller, slips_per_page=slips_per_page, ordered_by=None, at=NOON
    )


def claim(at=NOON) -> list[SlipRun]:
    return list(OutboxQuerySet(SlipRun).claim(limit=1, at=at, lease=LEASE))


def printed(**wishes) -> tuple[SlipRun, bytes]:
    order(**wishes)
    [run] = claim()
    print_run(run=run, at=NOON)
    with run.file.open() as stored:
        return run, stored.read()


def codes_on(pdf: bytes) -> list[list[str]]:
    return [[normalise(code) for code in SPACED_CODE.findall(text)] for text in page_texts(pdf)]


def test_a_slip_says_who_owes_what_to_whom_and_until_when():
    village = make_village(name="Thôn Xuân Yên")
    house = make_house("Nguyễn Thị Ánh", village=village, lane="Ngõ 2", code="PL-0012")
    biller = make_biller(customer_code_label="Mã khách hàng")
    bill = make_bill(
        biller=biller, household=house, payer_name="Đỗ Hữu Nghĩa", amount=385_000, period="11/2026"
    )

    _, pdf = printed(village=village)

    [text] = page_texts(pdf)
    for words in (
        "Điện lực Hậu Lộc",
        "Nguyễn Thị Ánh",
        "Thôn Xuân Yên · Ngõ 2",
        "PL-0012",
        "Đỗ Hữu Nghĩa",
        "11/2026 · Mã khách hàng: PD0001",
        "385.000 ₫",
        "Ba trăm tám mươi lăm nghìn đồng",
        "30/11/2026",
        "DIEN LUC HAU LOC",
        "3512 2010 0012 3 · Agribank",
        "Thôn Xuân Yên 1/1",
    ):
        assert words in re.sub(" +", " ", text)
    assert codes_on(pdf) == [[bill.payment_code]]


@pytest.mark.parametrize(("slips_per_page", "slips_on_pages"), [(3, [3, 2]), (4, [4, 1])])
def test_every_code_on_the_paper_is_the_payload_of_its_bill(slips_per_page, slips_on_pages):
    biller, house = make_biller(), make_house()
    bills = [make_bill(biller=biller, household=house, amount=50_000 + n) for n in range(5)]

    run, pdf = printed(biller=biller, slips_per_page=slips_per_page)

    codes = page_codes(pdf)
    assert [len(found) for found in codes] == slips_on_pages
    assert [code for found in codes for code in found] == [bill_payload(bill) for bill in bills]
    assert page_sizes(pdf) == [(210, 297)] * 2
    assert (run.slip_count, run.status) == (5, SlipRun.Status.DONE)


def test_a_code_still_reads_at_the_resolution_of_a_fax():
    bill = make_bill(household=make_house())

    _, pdf = printed()

    assert page_codes(pdf, dots_per_inch=100) == [[bill_payload(bill)]]


def test_slips_lie_in_the_order_in_which_one_walks():
    first, second = (
        make_village(code="V1", name="Thôn Một"),
        make_village(code="V2", name="Thôn Hai"),
    )
    biller = make_biller()
    houses = [
        make_house("Bùi Văn Ất", village=second, lane="Ngõ 1"),
        make_house("Vũ Thị Ánh", village=first, lane="ngõ 10"),
        make_house("An Văn Đức", village=first, lane="Ngõ 2"),
        make_house("Vũ Thị Dung", village=first, lane="Ngõ 2"),
    ]
    of = [make_bill(biller=biller, household=house).payment_code for house in houses]
    without_house = make_bill(biller=biller, household=None).payment_code

    _, pdf = printed(biller=biller)

    # Each village begins on a new sheet, so that its pile can be handed over.
    assert codes_on(pdf) == [[of[3], of[2], of[1]], [of[0]], [without_house]]


def test_bills_of_one_house_lie_together():
    village = make_village()
    one, other = make_house(village=village), make_house(village=village)
    water, power = make_biller(name="Nước sạch"), make_biller(name="Điện lực")
    water_bills = [make_bill(biller=water, household=house) for house in (one, other)]
    power_bills = [make_bill(biller=power, household=house) for house in (one, other)]

    _, pdf = printed(village=village)

    expected = [water_bills[0], power_bills[0], water_bills[1], power_bills[1]]
    assert codes_on(pdf) == [[bill.payment_code for bill in expected]]


def test_only_bills_of_the_village_and_the_biller_are_printed():
    village, biller = make_village(), make_biller()
    wanted = make_bill(biller=biller, household=make_house(village=village))
    make_bill(biller=biller, household=make_house())
    make_bill(household=make_house(village=village))

    run, pdf = printed(village=village, biller=biller)

    assert codes_on(pdf) == [[wanted.payment_code]]
    assert run.slip_count == 1


def test_paid_and_cancelled_bills_are_not_printed_and_part_paid_ones_with_their_rest():
    biller, house, partner = make_biller(), make_house(), make_partner()
    paid, part_paid, cancelled = (make_bill(biller=biller, household=house) for _ in range(3))
    pay(paid, partner)
    pay(part_paid, partner, amount=85_000)
    cancel_bill(bill_id=cancelled.pk, reason="nhầm")
    part_paid.refresh_from_db()

    _, pdf = printed(biller=biller)

    [text] = page_texts(pdf)
    assert codes_on(pdf) == [[part_paid.payment_code]]
    assert "300.000 ₫" in text
    assert "85.000 ₫" in text
    assert "Ba trăm nghìn đồng" in text
    [[payload]] = page_codes(pdf)
    assert decode(payload).transfer.amount_vnd == 300_000


def test_a_paid_bill_has_no_payload():
    bill = make_bill()
    pay(bill, make_partner())
    bill.refresh_from_db()

    with pytest.raises(BillNotPayableError):
        bill_payload(bill)


def test_a_run_without_bills_ends_with_a_sentence_and_no_file():
    order(village=make_village())
    [run] = claim()

    print_run(run=run, at=NOON)

    run.refresh_from_db()
    assert (run.status, run.slip_count, run.file.name) == (SlipRun.Status.DONE, 0, "")
    assert run.finished_at == NOON
    assert len(run.last_error) > 20


def test_a_run_killed_in_the_middle_is_printed_again_when_its_lease_ends():
    bill = make_bill(household=make_house())
    run = order()
    [lost] = claim()
    lost.status = SlipRun.Status.PRINTING
    lost.save(update_fields=["status"])
    run.file.storage.save(f"slips/phieu-{run.pk}.pdf", ContentFile(b"%PDF-1.4 half"))
    too_early = claim(at=NOON + LEASE - timedelta(seconds=1))
    [again] = claim(at=NOON + LEASE)

    print_run(run=again, at=NOON + LEASE)

    run.refresh_from_db()
    assert too_early == []
    assert (run.status, run.slip_count, run.attempts) == (SlipRun.Status.DONE, 1, 2)
    assert run.file.name == f"slips/phieu-{run.pk}.pdf"
    with run.file.open() as stored:
        assert page_codes(stored.read()) == [[bill_payload(bill)]]


def test_a_run_that_kills_every_worker_is_given_up():
    make_bill(household=make_house())
    order()
    for attempt in range(3):
        claim(at=NOON + attempt * LEASE)
    [run] = claim(at=NOON + 3 * LEASE)

    print_run(run=run, at=NOON + 3 * LEASE)

    run.refresh_from_db()
    assert (run.status, run.file.name) == (SlipRun.Status.FAILED, "")
    assert claim(at=NOON + 9 * LEASE) == []


def test_a_bank_number_that_no_app_can_read_fails_the_run_with_a_sentence():
    bill = make_bill(biller=make_biller(bank=make_bank(bin="97040")), household=make_house())
    order()
    [run] = claim()

    print_run(run=run, at=NOON)

    run.refresh_from_db()
    assert (run.status, run.finished_at) == (SlipRun.Status.FAILED, NOON)
    assert len(run.last_error) > 20
    with pytest.raises(VietQRError):
        bill_payload(bill)


def test_the_task_prints_what_was_ordered_once():
    make_bill(household=make_house())
    run = order()

    tasks.print_slips()
    run.refresh_from_db()
    first = run.updated_at
    tasks.print_slips()

    run.refresh_from_db()
    assert (run.status, run.attempts, run.updated_at) == (SlipRun.Status.DONE, 1, first)


def test_the_progress_of_a_run_ends_at_all_of_it():
    make_bill(household=make_house())

    run, _ = printed()

    assert progress.of(progress_name(run.pk)) == (1, 1)


def test_many_slips_cost_as_many_queries_as_few(django_assert_num_queries):
    biller = make_biller()
    for _ in range(2):
        make_bill(biller=biller, household=make_house())
    order()
    [few] = claim()
    with django_assert_num_queries(5):
        print_run(run=few, at=NOON)
    for _ in range(8):
        make_bill(biller=biller, household=make_house())
    order()
    [many] = claim()

    with django_assert_num_queries(5):
        print_run(run=many, at=NOON)

    assert many.slip_count == Bill.objects.count() == 10
