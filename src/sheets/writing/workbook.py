"""Excel workbooks, written line by line: typed cells, a heading that stays in sight, filters, widths that fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any, BinaryIO

import xlsxwriter  # type: ignore[import-untyped]

from sheets.writing.cells import PLAIN, Cell, Column, Line, Style, as_text

MOST_LINES = 1_048_575
"""What a worksheet holds below its heading; the next lines go into another one."""
LONGEST_TEXT = 32_767
FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year: earlier days are written as text."""
MEASURED = 300
"""How many lines decide how wide a column is."""
NARROWEST, WIDEST = 6, 46
FORMS = {
    "amount": "#,##0.00",
    "number": "0",
    "day": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm",
    "code": "@",
    "text": "",
}
ALIGNED: dict[str, dict[str, Any]] = {
    "amount": {"align": "right", "indent": 1},
    "number": {"align": "right", "indent": 1},
    "day": {"align": "left"},
    "moment": {"align": "left"},
}
"""Numbers keep a distance from the text that stands right of them."""
COLOURS = {"dark_red": "#8B0000", "red": "#C5221F", "blue": "#1A5FB4", "green": "#1B7F3B"}
FILLS = {"light_blue": "#DDEBF7"}
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "remove_timezone": False,
}


def write_workbook(title: str, columns: Sequence[Column], lines: Iterable[Line], file: BinaryIO, frozen: int) -> int:
    """Write the table, its first columns fixed on the left; how many lines there were below the heading."""
    iterator = iter(lines)
    first = list(islice(iterator, MEASURED))
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"title": title})
        table = _Table(book, title, columns, _widths(columns, first), frozen)
        return table.write(chain(first, iterator))


class _Table:
    """A table in a workbook, over as many worksheets as it needs."""

    def __init__(self, book: Any, title: str, columns: Sequence[Column], widths: Sequence[int], frozen: int) -> None:
        self._book = book
        self._title = title
        self._columns = columns
        self._widths = widths
        self._frozen = frozen
        self._formats: dict[tuple[str, Style], Any] = {}
        heading = {"bold": True, "bg_color": "#E8ECF1", "bottom": 1, "valign": "vcenter", "text_wrap": True}
        self._headings = {kind: book.add_format(heading | ALIGNED.get(kind, {})) for kind in FORMS}

    def write(self, lines: Iterable[Line]) -> int:
        """All lines, and how many there were."""
        count, iterator = 0, iter(lines)
        while True:
            here = self._write_sheet(islice(iterator, MOST_LINES), number=count // MOST_LINES + 1)
            count += here
            if here < MOST_LINES:
                return count

    def _write_sheet(self, lines: Iterator[Line], number: int) -> int:
        first = next(lines, None)
        if first is None and number > 1:
            return 0
        sheet = self._book.add_worksheet(self._title if number == 1 else f"{self._title} ({number})")
        for place, (column, width) in enumerate(zip(self._columns, self._widths, strict=True)):
            sheet.set_column(place, place, width, self._format(column.kind, PLAIN))
        sheet.freeze_panes(1, self._frozen)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.repeat_rows(0)
        for place, column in enumerate(self._columns):
            sheet.write_string(0, place, column.heading, self._headings[column.kind])
        row = 0
        for row, line in enumerate(chain([first] if first else [], lines), start=1):
            for place, (column, cell) in enumerate(zip(self._columns, line.cells, strict=True)):
                _write(sheet, row, place, cell, self._format(column.kind, line.style))
        sheet.autofilter(0, 0, max(row, 1), len(self._columns) - 1)
        return row

    def _format(self, kind: str, style: Style) -> Any:
        known = self._formats.get((kind, style))
        if known is None:
            said: dict[str, Any] = {"num_format": FORMS[kind]} if FORMS[kind] else {}
            said |= ALIGNED.get(kind, {})
            said |= {"font_color": COLOURS[style.colour]} if style.colour in COLOURS else {}
            said |= {"bg_color": FILLS[style.colour]} if style.colour in FILLS else {}
            said |= {"font_color": "#9AA0A6"} if style.light else {}
            said |= {"font_strikeout": True} if style.strikethrough else {}
            known = self._formats[kind, style] = self._book.add_format(said)
        return known


def _write(sheet: Any, row: int, place: int, cell: Cell, form: Any) -> None:
    if cell is None:
        if form.bg_color:
            sheet.write_blank(row, place, None, form)
    elif isinstance(cell, int | Decimal):
        sheet.write_number(row, place, cell, form)
    elif isinstance(cell, date) and (cell.date() if isinstance(cell, datetime) else cell) >= FIRST_DAY:
        sheet.write_datetime(row, place, cell, form)
    else:
        text = as_text(cell)
        sheet.write_string(row, place, text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…", form)


def _widths(columns: Sequence[Column], lines: Sequence[Line]) -> list[int]:
    """As wide as the heading and nine tenths of what is seen below it, within bounds."""
    return [
        column.width or _fitting(column, [line.cells[place] for line in lines]) for place, column in enumerate(columns)
    ]


def _fitting(column: Column, cells: Sequence[Cell]) -> int:
    seen = sorted(_cells_wide(_shown(column, cell)) for cell in cells if cell is not None)
    usual = seen[int(len(seen) * 0.9) - 1] if len(seen) > 1 else sum(seen)
    return max(NARROWEST, min(WIDEST, max(usual + 2, _cells_wide(column.heading) + 4)))


def _shown(column: Column, cell: Cell) -> str:
    return f"{cell:,.2f}" if column.kind == "amount" and isinstance(cell, Decimal) else as_text(cell)


def _cells_wide(text: str) -> int:
    """How many cells of a terminal it fills: a Chinese sign fills two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
