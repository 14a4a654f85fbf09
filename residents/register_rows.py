"""What one row of a register file says, and what taking it over would mean.

One row is one person, with the columns of the household repeated or left empty below the first;
a row without a person is a household alone. An empty cell keeps what is known. The dry run and
the taking over both ask `judge`, so that they cannot differ.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from addresses.models import Village
from common import phone as phone_numbers
from common.cells import CellError, read_day
from common.import_flow import Kind, Problem
from common.row_cells import RowCells
from common.tabular import Column, Row
from common.text import fold
from residents.models import Household, Resident

COLUMNS: Final = (
    Column("household_code", "Mã hộ", other_headings=("Mã số hộ", "Số hộ khẩu")),
    Column("village", "Thôn", other_headings=("Tên thôn", "Thôn/bản", "Thôn, bản")),
    Column("representative", "Chủ hộ", other_headings=("Họ tên chủ hộ", "Họ và tên chủ hộ")),
    Column(
        "household_phone",
        "Điện thoại của hộ",
        is_required=False,
        other_headings=("Số điện thoại của hộ", "Điện thoại hộ", "Điện thoại chủ hộ"),
    ),
    Column("lane", "Ngõ, số nhà", is_required=False, other_headings=("Địa chỉ", "Ngõ")),
    Column("code", "Mã nhân khẩu", other_headings=("Mã số nhân khẩu",)),
    Column("full_name", "Họ và tên", other_headings=("Họ tên", "Họ, tên đệm và tên")),
    Column(
        "birth_date",
        "Ngày sinh",
        is_required=False,
        other_headings=("Ngày, tháng, năm sinh", "Ngày tháng năm sinh"),
    ),
    Column("sex", "Giới tính", other_headings=("Nam/Nữ",)),
    Column("residence", "Tình trạng cư trú", is_required=False, other_headings=("Cư trú",)),
    Column(
        "phone",
        "Điện thoại",
        is_required=False,
        other_headings=("Số điện thoại", "SĐT", "Điện thoại cá nhân"),
    ),
)
SEX_WORDS: Final = {"Nam": Resident.Sex.MALE, "Nữ": Resident.Sex.FEMALE}
RESIDENCE_WORDS: Final = {
    "Thường trú": Resident.Residence.PERMANENT,
    "Tạm trú": Resident.Residence.TEMPORARY,
    "Tạm vắng": Resident.Residence.AWAY,
    "Đã chuyển đi": Resident.Residence.LEFT,
    "Đã mất": Resident.Residence.DECEASED,
}
_SEXES: Final = {fold(word): sex for word, sex in SEX_WORDS.items()}
_RESIDENCES: Final = {fold(word): residence for word, residence in RESIDENCE_WORDS.items()}
_UNIT: Final = re.compile(r"^(thon|ban|khu|xom|to dan pho)\s+")


class RegisterRow(NamedTuple):
    """One readable row. The facts map fields of Household and Resident to what the file says.

    A fact of a household stands only in the row that says it first. `code` is "" in a row without
    a person.
    """

    number: int
    household_code: str
    household_facts: dict[str, Any]
    code: str
    facts: dict[str, Any]


class KnownRows(NamedTuple):
    """What the database knows of a chunk of rows, by code."""

    households: dict[str, Household]
    residents: dict[str, Resident]


class Verdict(NamedTuple):
    """What taking one row over means."""

    kind: Kind
    row: RegisterRow
    household_changes: dict[str, Any] = {}
    resident_changes: dict[str, Any] = {}
    problems: tuple[Problem, ...] = ()


def villages_by_name(villages: Iterable[Village]) -> dict[str, int | None]:
    """Map what a file may call a village to its key; None where two villages share a name."""
    found: dict[str, int | None] = {}
    for village in villages:
        for name in {fold(village.code), fold(village.name), _plain_village(village.name)}:
            found[name] = None if found.get(name, village.pk) != village.pk else village.pk
    return found


def _plain_village(name: str) -> str:
    return _UNIT.sub("", fold(name))


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file and remembers what was said before."""

    headings: dict[str, str]
    villages: dict[str, int | None]
    today: date
    row_of_resident: dict[str, int] = field(default_factory=dict)
    said_of_household: dict[str, dict[str, tuple[int, Any]]] = field(default_factory=dict)

    def read(self, row: Row) -> tuple[RegisterRow | None, list[Problem]]:
        """Give what the row says, or else all that is wrong with it."""
        cells = _Cells(row, self.headings)
        household_code = cells.text("household_code", limit=20, is_required=True)
        household_facts = self._household_facts(cells)
        is_person = any(row[key] for key in ("code", "full_name", "birth_date", "sex", "phone"))
        code = cells.text("code", limit=24, is_required=is_person)
        facts = self._person_facts(cells) if is_person else {}
        if code and (first := self.row_of_resident.setdefault(code, row.number)) != row.number:
            cells.refuse("code", _("Row %(row)s already has this resident.") % {"row": first})
        news = self._news(cells, household_code, household_facts)
        if cells.problems:
            return None, cells.problems
        return RegisterRow(row.number, household_code, news, code, facts), []

    def _household_facts(self, cells: "_Cells") -> dict[str, Any]:
        facts = {
            "village_id": self._village(cells),
            "representative": cells.text("representative", limit=120, is_required=False),
            "phone": cells.phone("household_phone"),
            "lane": cells.text("lane", limit=120, is_required=False),
        }
        return {name: value for name, value in facts.items() if value}

    def _person_facts(self, cells: "_Cells") -> dict[str, Any]:
        facts = {
            "full_name": cells.text("full_name", limit=120, is_required=True),
            "birth_date": cells.birth_date("birth_date", today=self.today),
            "sex": cells.one_of("sex", _SEXES, words=SEX_WORDS, is_required=True),
            "residence": cells.one_of("residence", _RESIDENCES, words=RESIDENCE_WORDS),
            "phone": cells.phone("phone"),
        }
        return {name: value for name, value in facts.items() if value}

    def _village(self, cells: "_Cells") -> int | None:
        name = cells.text("village", limit=80, is_required=False)
        if not name:
            return None
        key = fold(name) if fold(name) in self.villages else _plain_village(name)
        if key not in self.villages:
            cells.refuse("village", _("There is no village of this name today."))
        elif self.villages[key] is None:
            cells.refuse("village", _("Two villages have this name. Write the village's code."))
        return self.villages.get(key)

    def _news(self, cells: "_Cells", code: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Keep the facts that no row above has said of this household; refuse contradictions."""
        said = self.said_of_household.setdefault(code, {})
        news = {name: value for name, value in facts.items() if name not in said}
        for name in facts.keys() - news.keys():
            first, value = said[name]
            if value != facts[name]:
                cells.refuse(
                    _COLUMN_OF_FACT[name],
                    _("Row %(row)s says something else of this household.") % {"row": first},
                )
        said.update({name: (cells.row.number, value) for name, value in news.items()})
        return news


_COLUMN_OF_FACT: Final = {
    "village_id": "village",
    "representative": "representative",
    "phone": "household_phone",
    "lane": "lane",
}


class _Cells(RowCells):
    """The cells of one row, with the kinds of cell that such a file has."""

    def phone(self, key: str) -> str:
        if not self.row[key]:
            return ""
        try:
            return phone_numbers.to_e164(self.row[key])
        except phone_numbers.PhoneError:
            self.refuse(key, _("This is not a Vietnamese phone number."))
            return ""

    def birth_date(self, key: str, *, today: date) -> date | None:
        if not self.row[key]:
            return None
        try:
            day = read_day(self.row[key])
        except CellError as error:
            self.refuse(key, error.sentence)
            return None
        if day > today:
            self.refuse(key, _("This day is still to come."))
        return day

    def one_of(
        self,
        key: str,
        values: dict[str, Any],
        *,
        words: Iterable[str],
        is_required: bool = False,
    ) -> str:
        text = self.text(key, limit=80, is_required=is_required)
        value = str(values.get(fold(text), ""))
        if text and not value:
            self.refuse(key, _("Write one of: %(words)s.") % {"words": ", ".join(words)})
        return value


def known_rows(rows: list[RegisterRow]) -> KnownRows:
    """Look a chunk of rows up: two queries."""
    households = Household.objects.filter(code__in={row.household_code for row in rows})
    residents = Resident.objects.filter(code__in=[row.code for row in rows if row.code])
    return KnownRows(
        households={household.code: household for household in households},
        residents={resident.code: resident for resident in residents.select_related("household")},
    )


def judge(row: RegisterRow, known: KnownRows, made: set[str], headings: dict[str, str]) -> Verdict:
    """Say what taking this row over would mean; `made` holds households new in this file."""
    household = known.households.get(row.household_code)
    is_new_household = household is None and row.household_code not in made
    if is_new_household and not {"village_id", "representative"} <= row.household_facts.keys():
        sentence = _("This household is new: its first row needs the village and the householder.")
        problem = Problem(row.number, headings["household_code"], row.household_code, sentence)
        return Verdict(Kind.REFUSED, row, problems=(problem,))
    if is_new_household:
        made.add(row.household_code)
    # What a file says of a household that it has made itself always counts as a change: whether
    # the household is in the database by now differs between the dry run and the taking over.
    is_news = household is None or row.household_code in made
    household_changes = {
        name: value
        for name, value in row.household_facts.items()
        if is_news or getattr(household, name) != value
    }
    resident = known.residents.get(row.code)
    resident_changes = _resident_changes(row, resident)
    is_new = is_new_household if not row.code else resident is None
    if is_new:
        kind = Kind.NEW
    else:
        kind = Kind.CHANGED if household_changes or resident_changes else Kind.UNCHANGED
    return Verdict(kind, row, household_changes, resident_changes)


def _resident_changes(row: RegisterRow, resident: Resident | None) -> dict[str, Any]:
    if resident is None:
        return row.facts
    changes = {name: value for name, value in row.facts.items() if getattr(resident, name) != value}
    if resident.household.code != row.household_code:
        changes["household"] = row.household_code
    return changes
