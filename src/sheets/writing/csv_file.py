"""CSV that spreadsheet programs open right: Chinese legible, and no cell that could run as a formula."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import BinaryIO

from sheets.formulas import neutral
from sheets.writing.cells import Cell, Column, Line, as_text


def write_csv(columns: Sequence[Column], lines: Iterable[Line], file: BinaryIO) -> int:
    """Write UTF-8 with a byte order mark, commas and CRLF (RFC 4180); how many lines there were below the heading."""
    file.write(codecs.BOM_UTF8)
    text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    try:
        rows = csv.writer(text)
        rows.writerow([_safe(column.heading) for column in columns])
        count = 0
        for line in lines:
            rows.writerow([_safe(cell) for cell in line.cells])
            count += 1
        return count
    finally:
        text.flush()
        text.detach()


def _safe(cell: Cell) -> str:
    """The cell as text; a text that begins like a formula gets an apostrophe before it, numbers stay numbers."""
    text = as_text(cell)
    return neutral(text) if isinstance(cell, str) else text
