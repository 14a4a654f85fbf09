"""A file of households and residents: all of it, or nothing."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone, translation
from openpyxl import Workbook, load_workbook

from addresses.models import Commune, Village
from common import import_flow
from common.text import name_sort_key
from residents import services, tasks
from residents.errors import BadRegisterEntryError, RegisterNotReadyError
from residents.models import Household, RegisterImport, Resident
from residents.register_rows import COLUMNS
from residents.register_template import write_register_template

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
Status = RegisterImport.Status
HEADINGS = ";".join(column.heading for column in COLUMNS)
HOA = (
    "H1;Xuân Yên;Lê Thị Hoa;0912 345 678;Ngõ 3;H1-1;Lê Thị Hoa;22/11/1986;Nữ;Thường trú;0987654321"
)
NAM = "H1;;;;;H1-2;Lê Văn Nam;1/2/2010;Nam;;"


@pytest.fixture(autouse=True)
def _files_and_words(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def village():
    commune = Commune.objects.create(code="16072", name="Phú Lộc", province="Thanh Hoá")
    return Village.objects.create(commune=commune, code="PL-XY", name="Thôn Xuân Yên")


def lines(*rows, headings=HEADINGS):
    return "\n".join([headings, *rows]).encode()


def receive(content, file_name="nhan-khau.csv"):
    return services.receive_register_file(
        file=ContentFile(content, file_name), file_name=file_name, uploaded_by=None, at=NOON
    )


def work(at=NOON):
    for register_import in RegisterImport.objects.claim(
        limit=9, at=at, lease=timedelta(minutes=10)
    ):
        services.proceed(register_import=register_import, at=at)


def checked(*rows, **options):
    register_import = receive(lines(*rows, **options))
    work()
    register_import.refresh_from_db()
    return register_import


def taken_in(*rows, **options):
    register_import = checked(*rows, **options)
    services.approve_register_file(register_import_id=register_import.pk, at=NOON)
    work()
    register_import.refresh_from_db()
    return register_import


def counts(register_import):
    return (
        register_import.new_count,
        register_import.changed_count,
        register_import.unchanged_count,
        register_import.refused_count,
    )


def problems(register_import):
    return list(register_import.problems.order_by("pk").values_list("row_number", "sentence"))


def test_a_dry_run_writes_nothing():
    register_import = checked(HOA, NAM)

    assert (register_import.status, counts(register_import)) == (Status.CHECKED, (2, 0, 0, 0))
    assert not Household.objects.exists()
    assert not Resident.objects.exists()


def test_an_approved_file_becomes_households_and_residents(village):
    register_import = taken_in(HOA, NAM)

    household = Household.objects.get()
    hoa, nam = Resident.objects.order_by("code")
    assert (register_import.status, counts(register_import)) == (Status.DONE, (2, 0, 0, 0))
    assert (household.code, household.village, household.lane) == ("H1", village, "Ngõ 3")
    assert (household.representative, household.phone) == ("Lê Thị Hoa", "+84912345678")
    assert household.representative_sort_key == name_sort_key("Lê Thị Hoa")
    assert household.search_key == "le thi hoa h1"
    assert (hoa.household, hoa.full_name, hoa.sex) == (household, "Lê Thị Hoa", "female")
    assert (hoa.birth_date, hoa.phone) == (date(1986, 11, 22), "+84987654321")
    assert (hoa.sort_key, hoa.search_key) == (name_sort_key("Lê Thị Hoa"), "le thi hoa h1-1")
    assert (nam.household, nam.sex, nam.residence) == (household, "male", "permanent")


def test_the_same_file_twice_changes_nothing():
    rows = (HOA, NAM, "H2;PL-XY;Trần Văn Ba;;;;;;;;")
    taken_in(*rows)
    before = [list(model.objects.order_by("pk").values()) for model in (Household, Resident)]

    again = taken_in(*rows)

    assert counts(again) == (0, 0, 3, 0)
    assert [list(m.objects.order_by("pk").values()) for m in (Household, Resident)] == before
    assert RegisterImport.objects.taken_over().same_file_as(again).exists()


def test_one_bad_row_stops_the_whole_file():
    register_import = checked(HOA, NAM.replace("Nam;;", "?;;"))

    assert counts(register_import) == (1, 0, 0, 1)
    assert problems(register_import) == [(3, "Write one of: Nam, Nữ.")]
    with pytest.raises(RegisterNotReadyError):
        services.approve_register_file(register_import_id=register_import.pk, at=NOON)
    work()
    assert not Household.objects.exists()


def test_a_row_that_went_bad_after_the_check_stops_the_whole_file(village):
    register_import = checked(HOA, NAM, "H2;;;;;H2-1;Ba;;Nam;;".replace("H2;;", "H2;PL-XY;Ba"))
    services.approve_register_file(register_import_id=register_import.pk, at=NOON)
    village.valid_to = date(2026, 1, 1)
    village.save()

    work()

    register_import.refresh_from_db()
    assert register_import.status == Status.CHECKED
    assert (2, "There is no village of this name today.") in problems(register_import)
    assert not Household.objects.exists()
    assert not Resident.objects.exists()


def test_a_bad_row_in_a_late_chunk_takes_back_what_was_written_before(monkeypatch):
    monkeypatch.setattr(import_flow.chunks, "__defaults__", (1,))
    register_import = checked(HOA, NAM)
    services.approve_register_file(register_import_id=register_import.pk, at=NOON)
    content = lines(HOA, NAM.replace(";Nam;", ";Nom;"))
    with register_import.file.storage.open(register_import.file.name, "wb") as file:
        file.write(content)
    work()

    register_import.refresh_from_db()
    assert (register_import.status, register_import.refused_count) == (Status.CHECKED, 1)
    assert not Household.objects.exists()


def test_all_facts_may_change_and_an_empty_cell_keeps_what_is_known():
    taken_in(HOA, NAM)

    register_import = taken_in(
        "H1;;Lê Văn Nam;;;H1-1;Lê Thị Hòa;;Nữ;Tạm vắng;", "H1;;;;;H1-2;Lê Văn Nam;;Nam;;"
    )

    household, hoa = Household.objects.get(), Resident.objects.get(code="H1-1")
    assert counts(register_import) == (0, 1, 1, 0)
    assert (household.representative, household.phone) == ("Lê Văn Nam", "+84912345678")
    assert household.search_key == "le van nam h1"
    assert (hoa.full_name, hoa.residence) == ("Lê Thị Hòa", "away")
    assert (hoa.birth_date, hoa.phone) == (date(1986, 11, 22), "+84987654321")


def test_a_resident_moves_to_another_household():
    taken_in(HOA, NAM)

    register_import = taken_in("H2;Xuân Yên;Lê Văn Nam;;;H1-2;Lê Văn Nam;;Nam;;")

    assert counts(register_import) == (0, 1, 0, 0)
    assert Resident.objects.get(code="H1-2").household.code == "H2"


def test_facts_of_a_household_may_stand_in_any_of_its_rows_also_far_below(monkeypatch):
    monkeypatch.setattr(import_flow.chunks, "__defaults__", (1,))
    rows = ("H1;Xuân Yên;Lê Thị Hoa;;;H1-1;Lê Thị Hoa;;Nữ;;", "H1;;;0912345678;Ngõ 3;;;;;;")

    first, second = taken_in(*rows), taken_in(*rows)

    household = Household.objects.get()
    assert (counts(first), counts(second)) == ((1, 1, 0, 0), (0, 0, 2, 0))
    assert (household.phone, household.lane) == ("+84912345678", "Ngõ 3")


@pytest.mark.parametrize("size", [1, 1_000])
def test_the_dry_run_and_the_taking_over_count_alike(monkeypatch, size):
    monkeypatch.setattr(import_flow.chunks, "__defaults__", (size,))
    taken_in("H9;Xuân Yên;Cũ;;;H9-1;Cũ;;Nam;;")
    rows = (
        HOA,
        NAM,
        HOA.split("H1-1", maxsplit=1)[0] + "H1-3;Ba;;Nam;;",
        "H9;;Mới;;;H9-1;Cũ;;Nam;;",
        "H9;;Mới;;;;;;;;",
    )

    dry = counts(checked(*rows))

    assert dry == counts(taken_in(*rows, "")) == (3, 1, 1, 0)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (HOA.replace("H1;", ";", 1), "This cell is empty."),
        (HOA.replace("H1-1", ""), "This cell is empty."),
        (HOA.replace("Lê Thị Hoa;22", ";22"), "This cell is empty."),
        (HOA.replace("Xuân Yên", "Xuân Lai"), "There is no village of this name today."),
        (HOA.replace("0987654321", "12345"), "This is not a Vietnamese phone number."),
        (HOA.replace("0912 345 678", "abc"), "This is not a Vietnamese phone number."),
        (
            HOA.replace("22/11/1986", "1986"),
            "Only the year is given. Write the whole day, like 22/11/2026.",
        ),
        (HOA.replace("22/11/1986", "23/11/2026"), "This day is still to come."),
        (HOA.replace("Nữ", "Khác"), "Write one of: Nam, Nữ."),
        (
            HOA.replace("Thường trú", "ở"),
            "Write one of: Thường trú, Tạm trú, Tạm vắng, Đã chuyển đi, Đã mất.",
        ),
        (
            NAM,
            "This household is new: its first row needs the village and the householder.",
        ),
    ],
)
def test_a_row_that_cannot_be_kept_is_refused(row, sentence):
    assert problems(checked(row)) == [(2, sentence)]


def test_a_resident_or_a_contradiction_in_two_rows_names_the_first():
    register_import = checked(HOA, HOA.replace("Ngõ 3", "Ngõ 4"))

    assert problems(register_import) == [
        (3, "Row 2 already has this resident."),
        (3, "Row 2 says something else of this household."),
    ]


def test_a_bad_first_row_does_not_make_its_whole_household_bad():
    register_import = checked(HOA.replace("Nữ", "?"), NAM)

    assert [number for number, _ in problems(register_import)] == [2]


@pytest.mark.parametrize("name", ["Xuân Yên", "thôn xuân yên", "XUAN YEN", "pl-xy"])
def test_a_village_is_known_by_its_name_or_code(name, village):
    taken_in(HOA.replace("Xuân Yên", name))

    assert Household.objects.get().village == village


def test_a_name_of_two_villages_needs_the_code(village):
    Village.objects.create(commune=village.commune, code="PL-XY2", name="Xuân Yên")

    assert problems(checked(HOA)) == [(2, "Two villages have this name. Write the village's code.")]


def test_an_excel_file_with_a_title_and_real_dates_and_numbers_is_taken_in():
    book = Workbook()
    for line in (
        ["DANH SÁCH NHÂN KHẨU"],
        [],
        ["STT", "MÃ HỘ", "THÔN", "CHỦ HỘ", "Mã nhân khẩu", "Họ tên", "Ngày, tháng, năm sinh",
         "Giới tính", "SĐT"],
        [1, "H1", "Xuân Yên", "Lê Thị Hoa", 1001, "Lê Thị Hoa", date(1986, 11, 22), "Nữ",
         912345678],
    ):  # fmt: skip
        book.active.append(line)
    content = io.BytesIO()
    book.save(content)
    register_import = receive(content.getvalue(), "nhan-khau.xlsx")
    work()

    services.approve_register_file(register_import_id=register_import.pk, at=NOON)
    work()

    hoa = Resident.objects.get()
    assert (hoa.code, hoa.birth_date, hoa.phone) == ("1001", date(1986, 11, 22), "+84912345678")


def test_a_file_without_the_columns_or_rows_fails_with_a_sentence():
    no_columns, no_rows = checked("1;2", headings="Mã hộ;Thôn"), checked()

    assert (no_columns.status, no_rows.status) == (Status.FAILED, Status.FAILED)
    assert "“Chủ hộ”, “Mã nhân khẩu”, “Họ và tên”, “Giới tính”" in no_columns.error
    assert no_rows.error == "The file has no rows below its headings."
    with pytest.raises(RegisterNotReadyError):
        services.approve_register_file(register_import_id=no_rows.pk, at=NOON)


def test_the_file_comes_back_whole_with_the_problems_beside_their_rows():
    register_import = checked(HOA, NAM.replace("Nam;;", "?;;"))
    out = io.BytesIO()

    services.write_problem_file(register_import, into=out)

    good, bad = out.getvalue().decode("utf-8-sig").splitlines()[1:]
    assert good.endswith("0987654321,")
    assert bad.endswith(',"Write one of: Nam, Nữ."')
    mended = receive(out.getvalue().replace(b",?,", ",Nữ,".encode()))
    work()
    mended.refresh_from_db()
    assert counts(mended) == (2, 0, 0, 0)


def test_the_template_can_be_filled_in_and_sent(village):
    template = io.BytesIO()
    write_register_template(template)
    book = load_workbook(template)
    book.worksheets[0].append(HOA.split(";"))
    filled = io.BytesIO()
    book.save(filled)

    register_import = receive(filled.getvalue(), "mau.xlsx")
    work()

    register_import.refresh_from_db()
    assert counts(register_import) == (1, 0, 0, 0)


def test_the_empty_template_has_no_rows():
    template = io.BytesIO()
    write_register_template(template)

    register_import = receive(template.getvalue(), "mau.xlsx")
    work()

    register_import.refresh_from_db()
    assert register_import.error == "The file has no rows below its headings."


def test_the_task_takes_the_files_that_wait():
    register_import = receive(lines(HOA))
    RegisterImport.objects.update(due_at=timezone.now())

    tasks.take_in_register_files()
    tasks.take_in_register_files()

    register_import.refresh_from_db()
    assert (register_import.status, register_import.attempts) == (Status.CHECKED, 1)


def test_the_number_of_queries_does_not_grow_with_the_rows(django_assert_max_num_queries):
    two = receive(lines(HOA, NAM))
    many = receive(lines(*(f"H{n // 4};Xuân Yên;Chủ;;;N{n};Tên;;Nam;;" for n in range(900))))

    with django_assert_max_num_queries(11) as first:
        services.check_register_file(register_import=two, at=NOON)
    with django_assert_max_num_queries(len(first)):
        services.check_register_file(register_import=many, at=NOON)


def test_entries_by_hand_keep_their_keys_and_phone_in_order(village):
    for name, phone in (("Lê Thị Hoa", "0912.345.678"), ("Lê Thị Huệ", "")):
        household = services.save_household(
            code="H1", village=village, representative=name, phone=phone
        )
        resident = services.save_resident(
            code="N1", household=household, full_name=name, sex="female", phone=phone
        )

    assert (Household.objects.count(), Resident.objects.count()) == (1, 1)
    assert (household.search_key, household.phone) == ("le thi hue h1", "")
    assert (resident.search_key, resident.sort_key) == (
        "le thi hue n1",
        name_sort_key("Lê Thị Huệ"),
    )
    assert household.representative_sort_key == name_sort_key("Lê Thị Huệ")


def test_entries_by_hand_refuse_what_is_no_phone_number(village):
    with pytest.raises(BadRegisterEntryError):
        services.save_household(code="H1", village=village, representative="Hoa", phone="113")

    assert not Household.objects.exists()
