"""The kinds of files that a table can be written as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

import msgspec

from sheets.writing.cells import Column, Line
from sheets.writing.csv_file import write_csv
from sheets.writing.json_file import Encode, write_array, write_lines


class Format(StrEnum):
    """What a file is."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    JSONL = "jsonl"


SUFFIXES = {
    ".csv": Format.CSV,
    ".xlsx": Format.XLSX,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
}


@dataclass(frozen=True)
class Sheet:
    """A table to write: its title, its columns, and how many of them stay in sight on the left."""

    title: str
    columns: Sequence[Column]
    frozen: int = 0


def written(
    form: Format, sheet: Sheet, lines: Iterable[Line], file: BinaryIO, encode: Encode = msgspec.json.encode
) -> int:
    """Write the lines one after another as they come, and say how many there were; `encode` is for records as JSON."""
    if form is Format.CSV:
        return write_csv(sheet.columns, lines, file)
    if form is Format.XLSX:
        from sheets.writing.workbook import write_workbook  # heavy, and every command would read it

        return write_workbook(sheet.title, sheet.columns, lines, file, sheet.frozen)
    return (write_array if form is Format.JSON else write_lines)(lines, file, encode)
