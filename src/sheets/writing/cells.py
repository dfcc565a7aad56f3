"""What a table is made of: columns of one kind each, and lines of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["text", "code", "number", "amount", "day", "moment"]
"""`code` is text that looks like a number (phone numbers, invoice numbers) and stays text when it is edited."""

Cell = str | int | Decimal | date | datetime | None
"""A moment (`datetime`) stands in the business time zone and says no offset: a sheet has no place for one."""


@dataclass(frozen=True)
class Column:
    """A column: its field, the heading above it, what stands in it, and how many characters wide it should be."""

    field: str
    heading: str
    kind: Kind
    width: int = 0
    """0 for as wide as what stands in it."""


@dataclass(frozen=True)
class Style:
    """How a line looks where a file can show it: the colour, light grey, struck through."""

    colour: str | None = None
    light: bool = False
    strikethrough: bool = False


PLAIN = Style()


@dataclass(frozen=True)
class Line:
    """One line of a table: its cells in the order of the columns, how it looks, and the record behind it."""

    cells: Sequence[Cell]
    record: Mapping[str, Any]
    style: Style = PLAIN


def as_text(cell: Cell) -> str:
    """A cell as text: days as 2026-01-31, moments as 2026-01-31 09:30, amounts with two decimals."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return str(cell)
