"""One row of a sent table being read; what is wrong with it is collected, to be told at once."""

import re
from dataclasses import dataclass, field
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.import_flow import Problem
from common.tabular import Row

_SHORTENED_NUMBER: Final = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+[0-9]+")


@dataclass(slots=True)
class RowCells:
    """The cells of one row; each import adds readers for the kinds of cell that it alone has."""

    row: Row
    headings: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, key: str, sentence: str | Promise) -> None:
        """Note what is wrong with the cell of this key."""
        self.problems.append(
            Problem(self.row.number, self.headings[key], str(self.row[key]), sentence)
        )

    def text(self, key: str, *, limit: int, is_required: bool) -> str:
        """Read up to `limit` characters, and refuse a number that Excel has shortened."""
        text = str(self.row[key])
        if not text and is_required:
            self.refuse(key, _("This cell is empty."))
        elif len(text) > limit:
            self.refuse(key, _("This is longer than %(limit)s characters.") % {"limit": limit})
        elif _SHORTENED_NUMBER.fullmatch(text):
            self.refuse(key, _("Excel has shortened this number. Format the column as text."))
        return text
