"""A table in a file: its heading found and checked, its rows by column name, each with its line."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from sheets.formulas import plain
from sheets.reading.encoding import Inspection, inspect
from sheets.reading.records import LONGEST_CELL, Broken, Record, Records
from sheets.reading.refusals import Refusal, Unreadable, shorten

DELIMITERS = (",", ";", "\t", "|")


class Column(msgspec.Struct, frozen=True):
    """A column that is looked for: its name for us, the headings it may stand under, and whether it must be there."""

    name: str
    headings: tuple[str, ...]
    required: bool = True


class Layout(msgspec.Struct, frozen=True):
    """What a table must look like. The heading is looked for in the first `heading_within` records."""

    columns: tuple[Column, ...]
    delimiter: str | None = None
    heading_within: int = 1

    @property
    def headings(self) -> frozenset[str]:
        """Every heading that is known, as a file may spell it."""
        return frozenset(heading for column in self.columns for heading in column.headings)


class Row(msgspec.Struct, frozen=True):
    """One row: the file and the line it begins in, and its cells by column name, blanks at both ends taken off.

    So is the apostrophe that keeps a text from being run as a formula, which our own exports have.
    This is the seam for other kinds of files: whatever gives rows like these can be imported.
    """

    file: str
    line: int
    cells: dict[str, str]


class _Heading(NamedTuple):
    """For each place its column's name, or none, and what is written there."""

    names: list[str | None]
    written: list[str]


class Table:
    """A table that is open for reading: what its heading says, and its rows."""

    def __init__(self, path: Path, inspection: Inspection, layout: Layout, records: Records) -> None:
        self.file = path.name
        self.inspection = inspection
        self._records = records
        self._layout = layout
        self._heading = self._find_heading()
        records.width = len(self._heading.names)

    @property
    def columns(self) -> frozenset[str]:
        """The known columns that this table has."""
        return frozenset(name for name in self._heading.names if name is not None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The headings that nobody asked for."""
        return tuple(w for name, w in zip(*self._heading, strict=True) if name is None and w)

    def rows(self) -> Iterator[Row | Refusal]:
        """Every row after the heading; a row that cannot be read is a refusal in its place. Blank rows are left out."""
        for record in self._records:
            if isinstance(record, Broken):
                yield Refusal(record.code, self.file, record.line, value=shorten(record.text.rstrip("\r\n")))
            elif any(cell.strip() for cell in record.cells):
                yield self._row(record)

    def _row(self, record: Record) -> Row | Refusal:
        width = len(self._heading.names)
        if len(record.cells) != width:
            values = {"cells": len(record.cells), "expected": width}
            return Refusal("ragged-row", self.file, record.line, value=shorten(",".join(record.cells)), values=values)
        cells: dict[str, str] = {}
        for name, column, cell in zip(*self._heading, record.cells, strict=True):
            if not column and cell.strip():
                return Refusal("cell-without-heading", self.file, record.line, value=shorten(cell))
            if "\0" in cell:
                return Refusal("nul-in-cell", self.file, record.line, column, shorten(cell))
            if len(cell) > LONGEST_CELL:
                values = {"length": len(cell), "longest": LONGEST_CELL}
                return Refusal("cell-too-long", self.file, record.line, column, shorten(cell), values)
            if name is not None:
                cells[name] = plain(cell.strip())
        return Row(self.file, record.line, cells)

    def _find_heading(self) -> _Heading:
        """The first record with every required column, within the layout's limit; else the refusals of the best one."""
        best: list[Refusal] = []
        seen = 0
        for record in self._records:
            cells = record.cells if isinstance(record, Record) else []
            if isinstance(record, Record) and not any(cell.strip() for cell in cells):
                continue
            if isinstance(record, Broken):
                wrong = [Refusal(record.code, self.file, record.line, value=shorten(record.text.rstrip("\r\n")))]
            else:
                wrong = self._check(record)
            if not wrong:
                return self._match(cells)
            best = wrong if not best or len(wrong) < len(best) else best
            seen += 1
            if seen >= self._layout.heading_within:
                break
        raise Unreadable(*(best or [Refusal("empty-file", self.file)]))

    def _check(self, record: Record) -> list[Refusal]:
        found = Counter(filter(None, (self._name(cell) for cell in record.cells)))
        missing = [column for column in self._layout.columns if column.required and column.name not in found]
        twice = [column for column in self._layout.columns if found[column.name] > 1]
        return [
            *(self._wrong_heading("missing-column", record, column) for column in missing),
            *(self._wrong_heading("duplicate-column", record, column) for column in twice),
        ]

    def _wrong_heading(self, code: str, record: Record, column: Column) -> Refusal:
        values = {"accepted": ", ".join(column.headings), "found": shorten(", ".join(c.strip() for c in record.cells))}
        return Refusal(code, self.file, record.line, column.headings[0], values=values)

    def _match(self, cells: list[str]) -> _Heading:
        return _Heading([self._name(cell) for cell in cells], [cell.strip() for cell in cells])

    def _name(self, cell: str) -> str | None:
        wanted = _plain(cell)
        for column in self._layout.columns:
            if any(_plain(heading) == wanted for heading in column.headings):
                return column.name
        return None


def _plain(heading: str) -> str:
    """A heading without what does not matter in it: width, case and blanks."""
    return " ".join(unicodedata.normalize("NFKC", heading).casefold().split())


@contextmanager
def open_table(path: Path, layout: Layout, *, encoding: str | None = None) -> Iterator[Table]:
    """Open a file as a table. Raises Unreadable when nothing of it can be imported: encoding, heading, columns."""
    inspection = inspect(path, stated=encoding, headings=layout.headings)
    delimiter = layout.delimiter or _delimiter(path, inspection, layout)
    with path.open(encoding=inspection.encoding.name, errors="strict", newline="") as file:
        yield Table(path, inspection, layout, Records(file, delimiter))


def _delimiter(path: Path, inspection: Inspection, layout: Layout) -> str:
    """The delimiter under which the first records show the most known headings; a comma when none shows any."""
    known = {_plain(heading) for heading in layout.headings}

    def shown(delimiter: str) -> int:
        with path.open(encoding=inspection.encoding.name, errors="strict", newline="") as file:
            heads = zip(range(layout.heading_within), Records(file, delimiter), strict=False)
            return max((sum(_plain(c) in known for c in r.cells) for _, r in heads if isinstance(r, Record)), default=0)

    return max(DELIMITERS, key=shown)
