"""Bill files on their way through the back office."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from accounts.roles import Role
from common import progress
from payments.models import (
    Bill,
    BillImport,
)
from payments.services import imports
from tests.accounts.back_office import office
from tests.payments.factories import (
    NOON,
    make_biller,
)
from tests.payments.office_pages import HEADINGS, listing, make_profile, page, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    """Workers' sentences too: outside a request they come in the portal's own language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def files_of_tests(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


def upload(browser, text, *, name="dien.csv", biller=None):
    biller = biller or make_biller()
    make_profile(biller)
    file = SimpleUploadedFile(name, text.encode())
    return browser.post(f"{listing(BillImport)}add/", {"biller": biller.pk, "file": file})


def test_a_bill_file_goes_all_the_way():
    browser = office(Role.FINANCE_OFFICER)

    sent = upload(browser, f"{HEADINGS}\nA1,KH1,Lê Hoa,385000\nA2,KH2,Lê Ba,ba trăm\n")
    bill_import = BillImport.objects.get()
    waiting = browser.get(sent.url)
    imports.proceed(bill_import=bill_import, at=NOON)
    checked = browser.get(sent.url)
    refused = browser.get(page(bill_import, "refused"))
    approved = browser.post(page(bill_import, "approve"))
    bill_import.refresh_from_db()
    imports.proceed(bill_import=bill_import, at=NOON)
    done = browser.get(sent.url)

    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert "Take over 1 row" in words(checked)
    assert "This is not an amount." in words(checked)
    assert not BillImport.objects.exclude(uploaded_by__is_staff=True).exists()
    assert refused.content.decode("utf-8-sig").splitlines()[1].startswith("A2,KH2,Lê Ba,ba trăm,")
    assert approved.url == sent.url
    assert "The file has been taken over" in words(done)
    assert 'hx-trigger="every 1s"' not in done.content.decode()
    assert Bill.objects.get().amount == 385_000


def test_the_progress_of_an_import_comes_without_the_page_around_it():
    browser = office(Role.FINANCE_OFFICER)
    address = upload(browser, f"{HEADINGS}\nA1,KH1,Lê Hoa,385000\n").url
    progress.report(BillImport.objects.get().work, done=400, total=2_000)

    answer = browser.get(address, headers={"HX-Request": "true"})

    assert "Row 400 of 2000 (20 %)" in words(answer)
    assert "<html" not in answer.content.decode()


def test_a_file_without_its_columns_is_told_in_a_sentence():
    browser = office(Role.FINANCE_OFFICER)
    address = upload(browser, "a,b\n1,2\n").url
    imports.proceed(bill_import=BillImport.objects.get(), at=NOON)

    text = words(browser.get(address))

    assert "This file could not be taken in" in text
    assert "The file lacks the columns" in text or "The file lacks the column" in text


def test_an_import_is_approved_by_those_who_may_import_only():
    upload(office(Role.FINANCE_OFFICER), f"{HEADINGS}\nA1,KH1,Lê Hoa,385000\n")
    bill_import = BillImport.objects.get()
    imports.proceed(bill_import=bill_import, at=NOON)
    auditor = office(Role.AUDITOR)

    answer = auditor.post(page(bill_import, "approve"))

    assert answer.status_code == 403
    assert auditor.get(page(bill_import, "approve")).status_code == 405
    assert BillImport.objects.get().status == "checked"


def test_refused_rows_are_paged():
    browser = office(Role.FINANCE_OFFICER)
    rows = "".join(f"A{number},KH1,Lê Hoa,0\n" for number in range(60))
    address = upload(browser, f"{HEADINGS}\n{rows}").url
    imports.proceed(bill_import=BillImport.objects.get(), at=NOON)

    second = browser.get(address, {"trang": 2})

    assert len(second.context["problems"]) == 10
    assert "Page 2 of 2" in words(second)


def test_only_tables_are_taken():
    browser = office(Role.FINANCE_OFFICER)

    answer = upload(browser, "x", name="bills.pdf")

    assert answer.status_code == 200
    assert not BillImport.objects.exists()
