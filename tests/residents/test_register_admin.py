"""The population register in the back office."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from openpyxl import load_workbook

from accounts.roles import Role
from residents import services
from residents.models import Household, RegisterImport, Resident
from tests.accounts.back_office import office
from tests.payments.factories import NOON, make_village

pytestmark = pytest.mark.django_db
HEADINGS = "Mã hộ,Thôn,Chủ hộ,Mã nhân khẩu,Họ và tên,Giới tính"


@pytest.fixture(autouse=True)
def english():
    """Workers' sentences too: outside a request they come in the portal's own language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def files_of_tests(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


def listing(model):
    return reverse(f"admin:residents_{model._meta.model_name}_changelist")


def page(row, name="change"):
    return reverse(f"admin:residents_{row._meta.model_name}_{name}", args=[row.pk])


def make_house(code="H1", representative="Lê Thị Hoà", **changes):
    village = changes.pop("village", None) or make_village()
    return services.save_household(
        code=code, village=village, representative=representative, **changes
    )


def make_resident(house, code="H1-01", full_name="Nguyễn Văn Đạt", **changes):
    return services.save_resident(
        code=code, household=house, full_name=full_name, sex="male", **changes
    )


def household_form(village, **changes):
    fields = {
        "code": "XY-0001",
        "village": village.pk,
        "representative": "Đặng Thị Hoà",
        "phone": "0912 345 678",
        "lane": "Ngõ 3",
        "is_active": "on",
        "residents-TOTAL_FORMS": 0,
        "residents-INITIAL_FORMS": 0,
    }
    return fields | changes


def found(answer):
    return [row.code for row in answer.context["cl"].result_list]


def test_a_household_is_added_through_the_service_that_keeps_its_keys():
    village = make_village()

    office(Role.ONE_STOP_CLERK).post(f"{listing(Household)}add/", household_form(village))

    house = Household.objects.get()
    assert (house.phone, house.search_key) == ("+84912345678", "dang thi hoa xy-0001")
    assert house.representative_sort_key != ""


def test_changing_a_name_changes_its_keys_and_never_the_code():
    house, browser = make_house(), office(Role.ONE_STOP_CLERK)
    form = household_form(house.village, code="OTHER", representative="Trần Văn Ân", phone="")

    browser.post(page(house), form)

    house.refresh_from_db()
    assert (house.code, house.representative, house.phone) == ("H1", "Trần Văn Ân", "")
    assert house.search_key == "tran van an h1"
    assert "Trần" in browser.get(page(house)).content.decode()


def test_what_is_no_phone_number_is_told_beside_the_field():
    village = make_village()

    answer = office(Role.ONE_STOP_CLERK).post(
        f"{listing(Household)}add/", household_form(village, phone="12345")
    )

    assert "This is not a Vietnamese phone number." in answer.content.decode()
    assert not Household.objects.exists()


def test_a_code_that_is_taken_overwrites_nobody():
    house = make_house(code="XY-0001")

    office(Role.ONE_STOP_CLERK).post(f"{listing(Household)}add/", household_form(house.village))

    assert Household.objects.get().representative == "Lê Thị Hoà"


def test_a_resident_is_added_and_found():
    house, browser = make_house(), office(Role.ONE_STOP_CLERK)

    browser.post(
        f"{listing(Resident)}add/",
        {
            "code": "H1-01",
            "household": house.pk,
            "full_name": "Nguyễn Văn Đạt",
            "birth_date": "22/11/1986",
            "sex": "male",
            "residence": "permanent",
            "phone": "",
        },
    )

    assert Resident.objects.get().birth_date == date(1986, 11, 22)
    assert found(browser.get(listing(Resident), {"q": "dat nguyen"})) == ["H1-01"]


@pytest.mark.parametrize("typed", ["hoa", "HOÀ", "le thi hoa", "h1", "0912 345 678", "84912345678"])
def test_a_household_is_found_by_name_code_or_phone(typed):
    house = make_house(phone="0912345678")
    make_house(code="K2", representative="Trần Văn An", phone="0912345679", village=house.village)

    answer = office(Role.POLICE_OFFICER).get(listing(Household), {"q": typed})

    assert found(answer) == ["H1"]


def test_people_stand_in_the_order_of_their_given_names():
    house = make_house()
    for number, name in enumerate(("Lê Thị Oanh", "Trần Văn Ân", "Phạm Thị An", "Đỗ Văn Ổn")):
        make_resident(house, code=f"H1-{number}", full_name=name)

    answer = office(Role.POLICE_OFFICER).get(listing(Resident))

    names = [row.full_name for row in answer.context["cl"].result_list]
    assert names == ["Phạm Thị An", "Trần Văn Ân", "Lê Thị Oanh", "Đỗ Văn Ổn"]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.POLICE_OFFICER, Role.CHAIRPERSON])
def test_readers_of_the_register_change_nothing(role):
    house, browser = make_house(), office(role)

    answer = browser.post(page(house), household_form(house.village))

    assert browser.get(page(house)).status_code == 200
    assert browser.get(f"{listing(Household)}add/").status_code == 403
    assert answer.status_code == 403
    assert Household.objects.get().representative == "Lê Thị Hoà"


def test_nobody_deletes_people():
    house = make_house()

    answer = office().post(page(house, "delete"), {"post": "yes"})

    assert answer.status_code == 403
    assert Household.objects.exists()


@pytest.mark.parametrize("model", [Household, Resident])
def test_ten_rows_cost_as_many_queries_as_two(model):
    browser, village = office(Role.POLICE_OFFICER), make_village()

    def fill(start, end):
        for number in range(start, end):
            house = make_house(code=f"H{number}", village=village)
            make_resident(house, code=f"H{number}-1")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(listing(model)).status_code == 200
        return len(captured)

    fill(0, 2)
    queries()
    few = queries()
    fill(2, 10)
    assert queries() == few


def upload(browser, *rows):
    file = SimpleUploadedFile("so-ho.csv", "\n".join((HEADINGS, *rows)).encode())
    return browser.post(f"{listing(RegisterImport)}add/", {"file": file})


def test_a_register_file_goes_all_the_way():
    village, browser = make_village(name="Xuân Yên"), office(Role.ONE_STOP_CLERK)

    sent = upload(browser, f"H1,{village.name},Lê Thị Hoà,H1-01,Lê Thị Hoà,Nữ")
    services.proceed(register_import=RegisterImport.objects.get(), at=NOON)
    checked = browser.get(sent.url).content.decode()
    browser.post(page(RegisterImport.objects.get(), "approve"))
    services.proceed(register_import=RegisterImport.objects.get(), at=NOON)

    assert "Take over 1 row" in checked
    assert Resident.objects.get().full_name == "Lê Thị Hoà"
    assert "The file has been taken over" in browser.get(sent.url).content.decode()


def test_one_wrong_row_stops_the_whole_register_file():
    village, browser = make_village(name="Xuân Yên"), office(Role.ONE_STOP_CLERK)
    good = f"H1,{village.name},Lê Thị Hoà,H1-01,Lê Thị Hoà,Nữ"

    sent = upload(browser, good, "H2,Nowhere,Lê Ba,H2-01,Lê Ba,Nam")
    register_import = RegisterImport.objects.get()
    services.proceed(register_import=register_import, at=NOON)
    checked = browser.get(sent.url).content.decode()
    address = page(register_import, "approve")
    forced = browser.post(address, follow=True, headers={"referer": f"http://testserver{sent.url}"})
    file = browser.get(page(register_import, "refused")).content.decode("utf-8-sig")

    assert "Nothing can be taken over yet" in checked
    assert address not in checked
    assert "so nothing is taken over." in forced.content.decode()
    assert not Household.objects.exists()
    assert [line.split(",")[0] for line in file.splitlines()] == ["Mã hộ", "H1", "H2"]


def test_the_empty_table_can_be_downloaded(tmp_path):
    browser = office(Role.ONE_STOP_CLERK)

    answer = browser.get(reverse("admin:residents_registerimport_template"))

    path = tmp_path / "template.xlsx"
    path.write_bytes(answer.content)
    assert load_workbook(path).worksheets[0]["A1"].value == "Mã hộ"


def test_the_auditor_imports_nothing():
    assert office(Role.AUDITOR).get(f"{listing(RegisterImport)}add/").status_code == 403
