"""The empty register file that officials fill in: headings, choices to pick from, and how to."""

from collections.abc import Iterable
from typing import IO

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from residents.register_rows import COLUMNS, RESIDENCE_WORDS, SEX_WORDS

READY_ROWS = 2_000


def write_register_template(into: IO[bytes]) -> None:
    """Write the template as XLSX; examples stand on a sheet of their own, so none is sent in."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = _("Register")
    sheet.append([column.heading for column in COLUMNS])
    sheet.freeze_panes = "A2"
    for place, column in enumerate(COLUMNS, start=1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = 22
        # As text, so that Excel keeps leading zeros and does not turn days round.
        sheet.column_dimensions[letter].number_format = "@"
        sheet.cell(1, place).font = Font(bold=True)
        if column.key in {"sex", "residence"}:
            _offer(sheet, letter, SEX_WORDS if column.key == "sex" else RESIDENCE_WORDS)
    _explain(book.create_sheet(_("How to fill it in")))
    book.save(into)


def _offer(sheet: Worksheet, letter: str, words: Iterable[str]) -> None:
    choices = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
    choices.add(f"{letter}2:{letter}{READY_ROWS}")
    sheet.add_data_validation(choices)


def _explain(sheet: Worksheet) -> None:
    sheet.append([_("Column"), _("Needed"), _("What to write"), _("Example")])
    for column in COLUMNS:
        what, example = _guide()[column.key]
        sheet.append([column.heading, _("yes") if column.is_required else _("no"), what, example])
    for sentence in (
        _("One row is one person. A row without a person adds a household alone."),
        _("The village and the householder are needed in the first row of a new household only."),
        _("An empty cell keeps what the register already knows."),
        _("If one row is wrong, nothing is taken over: mend the file and send it again."),
    ):
        sheet.append([sentence])
    for letter, width in zip("ABCD", (24, 10, 70, 24), strict=True):
        sheet.column_dimensions[letter].width = width
    for cell in sheet["C"]:
        cell.alignment = Alignment(wrap_text=True)
    for cell in sheet[1]:
        cell.font = Font(bold=True)


def _guide() -> dict[str, tuple[str, str]]:
    """Give for each column what to write there, and an example."""
    return {
        "household_code": (_("The household's code, in every row of the household"), "PL-XY-0001"),
        "village": (_("The village's name or code"), "Xuân Yên"),
        "representative": (_("The full name of the householder"), "Lê Thị Hoa"),
        "household_phone": (_("The number that speaks for the household"), "0912 345 678"),
        "lane": (_("Lane and house number"), "Ngõ 3, số 12"),
        "code": (_("The resident's own code; it never changes"), "PL-XY-0001-01"),
        "full_name": (_("The person's full name"), "Lê Thị Hoa"),
        "birth_date": (_("Day, month and year of birth"), "22/11/1986"),
        "sex": (_("One of: %(words)s") % {"words": ", ".join(SEX_WORDS)}, "Nữ"),
        "residence": (
            _("One of: %(words)s") % {"words": ", ".join(RESIDENCE_WORDS)},
            "Thường trú",
        ),
        "phone": (_("The person's own number"), "0987 654 321"),
    }
