"""How a read model's rows become lines of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

import phonenumbers

from projections.engine.lists.filtering import Column as Listed
from sheets.writing.cells import PLAIN, Cell, Column, Kind, Line, Style
from sheets.writing.formats import Sheet
from sheets.writing.tables.headings import Lang, heading
from sheets.writing.tables.words import BETWEEN, YES_NO, called

CODES = frozenset(
    {
        "code",
        "contact_mobile",
        "contact_phone",
        "customer_code",
        "invoice_no",
        "legacy_code",
        "number",
        "order_no",
        "phone",
    }
)
PHONES = ("contact_phone", "phone")
SUMS = ("open_amount", "won_amount", "open_balance", "overdue_balance")
"""Amounts by currency: a column for each currency there is, since amounts of two are never added."""
HOME = "+86"
KINDS: Mapping[str, Kind] = {"number": "number", "decimal": "amount", "date": "day", "instant": "moment"}


class UnknownColumn(Exception):
    """The table has no such column; `known` are those it has."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name)
        self.name, self.known = name, known


@dataclass(frozen=True)
class Layout:
    """A table: its title, the fields that are columns unless others are chosen, and what else it has.

    `frozen` columns stay in sight on the left. `left_out` are fields that only programs read. `of_its_own` are headings
    that are more precise here than elsewhere.
    """

    title: tuple[str, str]
    fields: tuple[str, ...]
    listed: Mapping[str, Listed]
    frozen: int = 2
    left_out: tuple[str, ...] = ()
    of_its_own: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    stages: Mapping[tuple[UUID, str], str] = field(default_factory=dict)
    """What the stages are called, by pipeline and key."""
    currencies: tuple[str, ...] = ()

    def choosing(self, names: Sequence[str]) -> Layout:
        """The same with these columns, in this order. Raises UnknownColumn."""
        known = (*self.fields, *self.left_out)
        for name in names:
            if name not in known:
                raise UnknownColumn(name, known)
        return replace(self, fields=tuple(names), frozen=0) if names else self

    def sheet(self, lang: Lang) -> Sheet:
        """The columns with their headings."""
        title = self.title[0] if lang == "zh" else self.title[1]
        return Sheet(title, [column for name in self.fields for column in self._columns(name, lang)], self.frozen)

    def line(self, row: Mapping[str, Any], lang: Lang, zone: tzinfo) -> Line:
        """A row as a line of the table, its moments in the business time zone."""
        cells: list[Cell] = []
        for name in self.fields:
            if name in SUMS:
                sums = row[name] or {}
                cells += [Decimal(sums[each]) if each in sums else None for each in self.currencies]
            elif name == "stage":
                cells.append(self.stages.get((row["pipeline_id"], row[name]), row[name]))
            else:
                cells.append(_cell(name, row[name], lang, zone))
        style = row.get("style")
        return Line(cells, row, Style(**style) if style else PLAIN)

    def _columns(self, name: str, lang: Lang) -> list[Column]:
        if name in SUMS:
            return [Column(name, f"{heading(name, lang)} {each}", "amount") for each in self.currencies]
        listed = self.listed.get(name)
        own = self.of_its_own.get(name)
        shown = heading(name, lang) if own is None else own[lang == "en"]
        kind: Kind = "code" if name in CODES else KINDS.get(listed.kind, "text") if listed else "text"
        return [Column(name, shown, kind)]


def as_dialled(number: str) -> str:
    """A phone number at home as it is dialled there, `0571 6754 2832`; any other one as it is stored."""
    if not number.startswith(HOME):
        return number
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.NATIONAL)


def _cell(name: str, value: Any, lang: Lang, zone: tzinfo) -> Cell:
    if value is None:
        return None
    if isinstance(value, bool):
        return YES_NO[lang][not value]
    if isinstance(value, list | tuple):
        return BETWEEN[lang].join(str(called(name, each, lang)) for each in value) or None
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        return as_dialled(value) if name in PHONES else str(called(name, value, lang))
    assert isinstance(value, int | Decimal | date), f"{name} is a {type(value).__name__}"
    return value
