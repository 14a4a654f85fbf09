"""Tables as people really send them, and cells as people really fill them."""

import io
import zipfile
from datetime import date, datetime

import pytest
from django.utils import translation
from openpyxl import Workbook

from common.cells import CellError, NumberText, read_amount, read_day
from common.tabular import (
    Column,
    MissingColumnError,
    UnreadableTableError,
    harmless,
    open_table,
)

COLUMNS = [
    Column("reference", "Số hoá đơn"),
    Column("name", "Họ tên"),
    Column("amount", "Số tiền"),
    Column("note", "Ghi chú", is_required=False),
]
MAXIMUM = 499_999_999


def csv_file(text, encoding="utf-8"):
    return io.BytesIO(text.encode(encoding))


def xlsx_file(*lines, title="Sheet"):
    book = Workbook()
    book.active.title = title
    for line in lines:
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def read(file, **options):
    table = open_table(file, columns=COLUMNS, **options)
    return [
        (row.number, row["reference"], row["name"], row["amount"], row["note"])
        for row in table.rows
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_is_read_whatever_parts_its_cells(delimiter):
    text = "Số hoá đơn,Họ tên,Số tiền\nA1,Lê Thị Hoa,385000\n".replace(",", delimiter)

    assert read(csv_file(text)) == [(2, "A1", "Lê Thị Hoa", "385000", "")]


def test_commas_in_amounts_do_not_pass_for_the_sign_between_cells():
    text = "Số hoá đơn;Họ tên;Số tiền\nA1;Hoa;1,385,000,000\nA2;Mai;2,385,000,000\n"

    assert read(csv_file(text))[0] == (2, "A1", "Hoa", "1,385,000,000", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_whichever_way_excel_saved_it(encoding):
    text = "Số hoá đơn\tHọ tên\tSố tiền\nA1\tĐặng Thị Hoà\t5000\n"

    assert read(csv_file(text, encoding)) == [(2, "A1", "Đặng Thị Hoà", "5000", "")]


def test_decomposed_letters_and_strange_spaces_are_made_plain():
    text = "SỐ HOÁ ĐƠN,Họ  tên,so tien\n A1 ,Hoa\u0300 \u200b Lê\ufeff,5\u00a0000\n"

    assert read(csv_file(text)) == [(2, "A1", "Hoà Lê", "5 000", "")]


def test_quoted_cells_may_hold_the_delimiter_and_new_lines():
    text = 'Số hoá đơn,Họ tên,Số tiền\n"A,1","Lê\nHoa",5000\n'

    assert read(csv_file(text)) == [(2, "A,1", "Lê Hoa", "5000", "")]


def test_blank_rows_are_left_out_and_keep_their_numbers():
    text = "Số hoá đơn,Họ tên,Số tiền\nA1,Hoa,1\n\n,,\nA2,Mai,2\n"

    assert [row[:2] for row in read(csv_file(text))] == [(2, "A1"), (5, "A2")]


def test_short_rows_are_filled_with_nothing():
    assert read(csv_file("Số hoá đơn,Họ tên,Số tiền,Ghi chú\nA1\n")) == [(2, "A1", "", "", "")]


def test_a_spreadsheet_gives_numbers_and_days_as_text():
    file = xlsx_file(
        ["Số hoá đơn", "Họ tên", "Số tiền", "Ghi chú"],
        ["A1", "Lê Thị Hoa", 385000.0, datetime.fromisoformat("2026-11-22T08:30")],
        ["A2", None, 423500.00000000006, date(2026, 11, 1)],
        ["A3", "Mai", 385.123, True],
    )

    assert read(file) == [
        (2, "A1", "Lê Thị Hoa", "385000", "2026-11-22"),
        (3, "A2", "", "423500", "2026-11-01"),
        (4, "A3", "Mai", "385.123", "True"),
    ]


def test_a_wrong_size_written_in_a_spreadsheet_loses_no_row_and_no_column():
    good = xlsx_file(["Số hoá đơn", "Họ tên", "Số tiền"], ["A1", "Hoa", 1], ["A2", "Mai", 2])
    wrong = io.BytesIO()
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(wrong, "w") as target:
        for part in source.namelist():
            target.writestr(part, source.read(part).replace(b'ref="A1:C3"', b'ref="A1"'))

    assert [row[1:4] for row in read(wrong)] == [("A1", "Hoa", "1"), ("A2", "Mai", "2")]


def test_the_first_sheet_that_can_be_seen_is_read():
    book = Workbook()
    book.active.append(["hidden"])
    book.active.sheet_state = "hidden"
    sheet = book.create_sheet("Tháng 11")
    sheet.append(["Số hoá đơn", "Họ tên", "Số tiền"])
    sheet.append(["A1", "Hoa", 1])
    file = io.BytesIO()
    book.save(file)

    assert read(file) == [(2, "A1", "Hoa", "1", "")]


def test_the_kind_of_file_is_told_by_its_content():
    table = open_table(
        xlsx_file(["Số hoá đơn", "Họ tên", "Số tiền"], ["A1", "Hoa", 1]), columns=COLUMNS
    )

    assert [row["reference"] for row in table.rows] == ["A1"]


def test_titles_above_the_headings_are_passed_over_and_kept():
    text = "DANH SÁCH THU TIỀN ĐIỆN\nTháng 11/2026\n\nSố hoá đơn,Họ tên,Số tiền\nA1,Hoa,1\n"

    table = open_table(csv_file(text), columns=COLUMNS)

    assert table.preamble == [["DANH SÁCH THU TIỀN ĐIỆN"], ["Tháng 11/2026"], []]
    assert [row.number for row in table.rows] == [5]


def test_the_headings_stand_where_the_caller_says():
    text = "tiêu đề\nSố hoá đơn,Họ tên,Số tiền\nA1,Hoa,1\n"

    assert [row[:2] for row in read(csv_file(text), header_row=2)] == [(3, "A1")]


def test_missing_columns_are_named_together_with_those_that_are_there():
    with pytest.raises(MissingColumnError) as refusal:
        open_table(csv_file("Số hoá đơn,Tiền\nA1,5\n"), columns=COLUMNS, header_row=1)

    message = str(refusal.value)
    assert "“Họ tên”, “Số tiền”" in message
    assert "“Số hoá đơn”, “Tiền”" in message


def test_missing_columns_are_found_without_knowing_the_row_of_the_headings():
    with pytest.raises(MissingColumnError) as refusal:
        open_table(csv_file("Tiêu đề\nSố hoá đơn,Họ tên\nA1,Hoa\n"), columns=COLUMNS)

    assert "“Số tiền”" in str(refusal.value)


def test_a_column_that_is_there_twice_is_refused():
    with pytest.raises(MissingColumnError):
        open_table(csv_file("Số hoá đơn,Họ tên,Số tiền,Số tiền\nA1,Hoa,1,2\n"), columns=COLUMNS)


def test_an_exact_heading_wins_over_one_that_only_reads_alike():
    text = "Số hoá đơn,Họ tên,So tien,Số tiền\nA1,Hoa,1,2\n"

    assert read(csv_file(text)) == [(2, "A1", "Hoa", "2", "")]


def broken_xlsx():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<broken")
    return file.getvalue()


def cut_xlsx():
    whole = xlsx_file(*[["Số hoá đơn", "Họ tên", "Số tiền"]] * 50).getvalue()
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no zip",
        broken_xlsx(),
        cut_xlsx(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old excel",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        "Số hoá đơn,Họ tên,Số tiền\n".encode(),
        "Số hoá đơn,Họ tên,Số tiền\nA1,Đặng Thị Đào,5".encode("cp1258", "replace"),
        b"S\xe8 ho\xb8 \xae\xacn,H\xe4 t\xean,S\xe8 ti\xd2n\nA1,L\xaa,5\n",
        'Số hoá đơn,Họ tên,Số tiền\nA1,"Hoa,5\nA2,Mai,6\n'.encode(),
        b"\n\n\n",
    ],
    ids=["empty", "no-zip", "broken", "cut", "old", "picture", "no-rows", "cp1258", "tcvn3",
         "quote", "blank"],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_a_sentence(content):
    with pytest.raises((UnreadableTableError, MissingColumnError)):
        read(io.BytesIO(content))


def test_letters_that_cannot_be_read_are_told_with_their_row():
    lines = ["Số hoá đơn,Họ tên,Số tiền", *["A1,Hoa,1"] * 3_000]
    content = "\n".join(lines).encode() + b"\nA2,\xd0\xe0o,1\n"

    with pytest.raises(UnreadableTableError, match=r"\d{3,}"):
        read(io.BytesIO(content))


def test_an_encoding_of_the_profile_is_used_and_an_unknown_one_refused():
    content = "Số hoá đơn;Họ tên;Số tiền\nA1;Hoa;5\n".encode("utf-16-le")

    assert read(io.BytesIO(content), encoding="utf-16-le") == [(2, "A1", "Hoa", "5", "")]
    with pytest.raises(UnreadableTableError, match="klingon"):
        read(io.BytesIO(b"a"), encoding="klingon")


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("common.tabular.MAX_UNPACKED_BYTES", 1_000)

    with pytest.raises(UnreadableTableError):
        read(xlsx_file(["Số hoá đơn", "Họ tên", "Số tiền"], ["A1", "Hoa", 1]))


def test_more_rows_than_can_be_handled_are_refused(monkeypatch):
    monkeypatch.setattr("common.tabular.MAX_ROWS", 2)

    with pytest.raises(UnreadableTableError):
        read(csv_file("Số hoá đơn,Họ tên,Số tiền\n" + "A,B,1\n" * 3))


def test_rows_are_read_only_as_they_are_asked_for():
    class Watched(io.BytesIO):
        furthest = 0

        def read(self, size=-1):
            block = super().read(size)
            self.furthest = max(self.furthest, self.tell())
            return block

        read1 = read

    file = Watched(("Số hoá đơn,Họ tên,Số tiền\n" + "A1,Hoa,5000\n" * 100_000).encode())
    table = open_table(file, columns=COLUMNS)
    file.furthest = 0

    next(table.rows)

    assert file.furthest < 100_000
    assert table.row_hint == 100_000


@pytest.mark.parametrize("text", ["=1+1", "+84912345678", "-5", "@SUM(A1)"])
def test_a_formula_is_made_harmless_and_comes_back_as_it_was(text):
    file = csv_file(f"Số hoá đơn,Họ tên,Số tiền\nA1,{harmless(text)},5\n")

    assert harmless(text) == f"'{text}"
    assert read(file) == [(2, "A1", text, "5", "")]


@pytest.mark.parametrize(
    "text",
    [
        "385000", "385.000", "385,000", "385 000", "385\u00a0000", "385\u202f000", "385.000 ₫",
        "385.000đ", "385.000 đồng", "385,000 VND", "385000 vnđ", "385.000,00", "385,000.00",
        "385000,0", "385000.00", "0385000", " 385.000 ", NumberText("385000"),
    ],
    ids=lambda text: repr((type(text).__name__, text)),
)  # fmt: skip
def test_usual_spellings_of_an_amount_are_read(text):
    assert read_amount(text, maximum=MAXIMUM) == 385_000


def test_amounts_may_have_any_size_that_a_bill_can_have():
    assert read_amount("1", maximum=MAXIMUM) == 1
    assert read_amount("499.999.999", maximum=MAXIMUM) == 499_999_999
    assert read_amount("1,234,567", maximum=MAXIMUM) == 1_234_567


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "missing"),
        (" ₫", "missing"),
        ("0", "is 0"),
        ("000", "is 0"),
        ("0,00", "is 0"),
        ("-5", "below 0"),
        ("\u2212385.000", "below 0"),
        ("(385.000)", "below 0"),
        ("385,5", "whole"),
        ("385.000,5", "whole"),
        ("385,000.50", "whole"),
        (NumberText("385.123"), "whole"),
        (NumberText("-5"), "below 0"),
        (NumberText("1e+17"), "too large"),
        ("500.000.000", "too large"),
        ("99999999999999999", "too large"),
        ("1e5", "not an amount"),
        ("NaN", "not an amount"),
        ("inf", "not an amount"),
        ("Infinity", "not an amount"),
        ("ba trăm", "not an amount"),
        ("0x10", "not an amount"),
        ("1_000", "not an amount"),
        ("385²", "not an amount"),
        ("٣٨٥", "not an amount"),
        ("+385", "not an amount"),
        ("0.385", "not an amount"),
        ("0,385", "not an amount"),
        ("38.5000", "not an amount"),
        ("1.23.456", "not an amount"),
        ("1.234,567", "not an amount"),
        ("1,234.567", "not an amount"),
        ("385..000", "not an amount"),
        ("385.000 000", "not an amount"),
        ("385.000.00", "not an amount"),
        ("385 000 USD", "not an amount"),
        ("True", "not an amount"),
        ("9" * 2_000, "not an amount"),
    ],
    ids=lambda text: repr((type(text).__name__, text[:20])),
)
def test_what_is_no_amount_of_whole_dong_is_refused_with_a_reason(text, sentence):
    with translation.override("en"), pytest.raises(CellError, match=sentence):
        read_amount(text, maximum=MAXIMUM)


@pytest.mark.parametrize(
    "text",
    ["02/11/2026", "2/11/2026", "2-11-2026", "2.11.2026", "2026-11-02", "2026-11-2",
     "02/11/2026 00:00:00", "2026-11-02T08:30:00", "2026-11-02 00:00:00.000"],
)  # fmt: skip
def test_usual_spellings_of_a_day_are_read_with_the_day_first(text):
    assert read_day(text) == date(2026, 11, 2)


@pytest.mark.parametrize(
    "text",
    ["", "31/02/2026", "11/22/2026", "22/11/26", "1956", "45983", "22/11/0026", "2/11/1899",
     "hôm nay", "22/11/2026 ngày", "00/11/2026"],
)  # fmt: skip
def test_what_is_no_day_is_refused(text):
    with pytest.raises(CellError):
        read_day(text)
